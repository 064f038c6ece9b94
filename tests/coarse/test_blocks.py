"""What counts as blocks, and how columns are cut along them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.coarse._blocks import as_blocks, cut_along, require_columns, require_same_cuts
from kronlin.operators import BlockDiagonal, Dense, Diagonal, Kronecker
from tests.coarse.spaces import on_blocks, pieces


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


def test_equal_cuts_pass():
    require_same_cuts(as_blocks(np.eye(3)), as_blocks(Diagonal(np.ones(3))), "two")
    with pytest.raises(
        ValueError, match=r"two must be block diagonal with blocks of equal sizes, not \[3\] and \[1, 2\]"
    ):
        require_same_cuts(as_blocks(np.eye(3)), BlockDiagonal([np.eye(1), np.eye(2)]), "two")


@pytest.mark.parametrize("k", [0, 3, 1, 2])
def test_room_for_columns(k):
    blocks = BlockDiagonal([np.eye(3), np.eye(2)])
    if k in (1, 2):
        require_columns(k, blocks, "vectors")
    else:
        with pytest.raises(ValueError, match=f"k = {k} vectors a block: choose between 1 and 2, the smallest block's"):
            require_columns(k, blocks, "vectors")


@given(st.lists(st.integers(1, 3), min_size=1, max_size=5), st.integers(1, 3))
def test_cut_along_blocks(sizes, k):
    """The rows of each block, beside each other on a diagonal, equal blocks in one bucket."""
    blocks = BlockDiagonal([np.eye(size) for size in sizes])
    x = np.random.default_rng(0).standard_normal((sum(sizes), k))
    Z = cut_along(blocks, x)
    assert Z.members == blocks.members
    assert all(isinstance(bucket, Dense) for bucket in Z.buckets)
    np.testing.assert_array_equal(Z.to_dense(), on_blocks(pieces(sizes, x)))
