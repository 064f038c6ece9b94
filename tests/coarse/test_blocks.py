"""What counts as blocks."""

import numpy as np
import pytest

from kronlin.coarse._blocks import as_blocks
from kronlin.operators import BlockDiagonal, Diagonal, Kronecker


def test_block_diagonal_operators_pass():
    blocks = BlockDiagonal([np.eye(2), np.eye(3)])
    assert as_blocks(blocks) is blocks


@pytest.mark.parametrize("single", [np.eye(3), Diagonal(np.ones(3)), Kronecker(np.eye(3), np.eye(1))])
def test_anything_else_is_one_block(single):
    found = as_blocks(single)
    assert isinstance(found, BlockDiagonal)
    assert found.rows.sizes == [3]
    np.testing.assert_array_equal(found.to_dense(), np.eye(3))


def test_blocks_must_be_square():
    with pytest.raises(ValueError, match=r"a coarse space is built from square blocks, and BlockDiagonal\(5×5.*others"):
        as_blocks(BlockDiagonal([np.ones((2, 3)), np.ones((3, 2))]))
    with pytest.raises(ValueError, match="built from square blocks"):
        as_blocks(np.ones((2, 3)))
