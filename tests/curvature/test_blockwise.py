"""What the dampings share: one number a block."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.curvature._blockwise import blockwise, checked_damping, is_one, no_factors, one_each
from tests.libraries import eager


def damped(block, lam):
    return block.damped(lam)


def test_blocks_and_their_cuts_stay():
    inner = kl.BlockDiagonal([np.eye(2), np.eye(1)])
    F = kl.BlockDiagonal.of_blocks([inner, kl.Dense(np.eye(2))])
    found = blockwise(F, [1.0, 2.0], damped)
    assert found.rows.sizes == [3, 2]
    assert found.blocks[0].rows.sizes == [2, 1]
    np.testing.assert_array_equal(found.diagonal(), [2.0, 2.0, 2.0, 3.0, 3.0])
    np.testing.assert_array_equal(blockwise(F, 1, damped).diagonal(), [2.0] * 5)
    np.testing.assert_array_equal(blockwise(np.eye(2), 0.5, damped).diagonal(), [1.5] * 2)


@pytest.mark.parametrize("lib", eager(), ids=str)
def test_numbers_of_every_library(lib):
    number = lib.asarray(0.5)
    assert is_one(number)
    assert checked_damping(number) == 0.5
    assert one_each([number, 1, np.float64(2.0)], 3) == [0.5, 1.0, 2.0]
    assert one_each(number, 2) == [0.5, 0.5]


@pytest.mark.parametrize("lam", [-1.0, float("nan"), float("inf"), 1j, "much", None])
def test_bad_numbers(lam):
    with pytest.raises(ValueError, match="damping must be a finite number that is not negative, not"):
        checked_damping(lam)
    with pytest.raises(ValueError, match="damping must be a finite number"):
        one_each([1.0, lam], 2)


def test_as_many_as_blocks():
    with pytest.raises(ValueError, match="lam has 2 entries for 3 blocks: pass one number, or one a block"):
        one_each([1.0, 2.0], 3)
    with pytest.raises(ValueError, match="damping must be a finite number"):
        blockwise(np.eye(2), [1.0], damped)


def test_the_error_without_factors_says_what_to_do():
    assert "use F.damped(lam), which adds exactly lam I, or promise" in str(no_factors(kl.Dense(np.eye(2))))
