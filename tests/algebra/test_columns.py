"""Columns a few at a time: all of them are met once, and the diagonal of an outer product is summed over them."""

import numpy as np
import pytest

from kronlin import memory_limit
from kronlin.algebra.columns import column_blocks, diagonal_of_outer
from tests.algebra.bare import Bare, bare
from tests.matrices import each_stack, eps, normal, wide


@pytest.mark.parametrize("columns", [1, 2, 3, 5, 100])
def test_every_column_is_met_once(columns):
    (a, left), (b, right) = bare((4, 5)), bare((3, 5), seed=1)
    with memory_limit(4 * columns * (a.nbytes + b.nbytes) / 5):
        found = list(column_blocks(a, b))
    assert found[0][1][0].shape[1] == min(columns, 5)
    np.testing.assert_array_equal(np.concatenate([one for _, (one, _) in found], axis=1), left)
    np.testing.assert_array_equal(np.concatenate([two for _, (_, two) in found], axis=1), right)
    assert [i for chosen, _ in found for i in range(chosen.start, chosen.stop)] == list(range(5))


@each_stack()
@pytest.mark.parametrize("limit", [1, 2**20])
def test_the_diagonal_of_an_outer_product(lib, dtype, batch, limit):
    left, right = normal((*batch, 5, 3), dtype), normal((*batch, 5, 3), dtype, 1)
    with memory_limit(limit):
        got = diagonal_of_outer(Bare(lib.asarray(left)), Bare(lib.asarray(right)))
    assert lib.owns(got)
    assert got.dtype == lib.asarray(left).dtype
    expected = np.diagonal(wide(left) @ np.swapaxes(wide(right), -1, -2).conj(), axis1=-2, axis2=-1)
    np.testing.assert_allclose(lib.numpy(got), expected, atol=100 * eps(dtype))
