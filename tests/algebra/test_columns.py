"""Columns a few at a time: all of them are met once, and the diagonal of an outer product is summed over them."""

import numpy as np
import pytest

from kronlin.algebra import columns
from kronlin.algebra.columns import column_blocks, diagonal_of_outer
from tests.algebra.bare import Bare, bare
from tests.matrices import each_stack, eps, normal, wide


@pytest.mark.parametrize("chunk", [1, 4, 7, 8, 10**6])
def test_every_column_is_met_once(chunk, monkeypatch):
    monkeypatch.setattr(columns, "CHUNK", chunk)
    (a, left), (b, right) = bare((4, 5)), bare((3, 5), seed=1)
    found = list(column_blocks(a, b))
    assert max(one.size for _, (one, _) in found) <= max(chunk, 4)
    np.testing.assert_array_equal(np.concatenate([one for _, (one, _) in found], axis=1), left)
    np.testing.assert_array_equal(np.concatenate([two for _, (_, two) in found], axis=1), right)
    assert [i for chosen, _ in found for i in range(chosen.start, chosen.stop)] == list(range(5))


@each_stack()
@pytest.mark.parametrize("chunk", [5, 10**6])
def test_the_diagonal_of_an_outer_product(lib, dtype, batch, chunk, monkeypatch):
    monkeypatch.setattr(columns, "CHUNK", chunk)
    left, right = normal((*batch, 5, 3), dtype), normal((*batch, 5, 3), dtype, 1)
    got = diagonal_of_outer(Bare(lib.asarray(left)), Bare(lib.asarray(right)))
    assert lib.owns(got)
    assert got.dtype == lib.asarray(left).dtype
    expected = np.diagonal(wide(left) @ np.swapaxes(wide(right), -1, -2).conj(), axis1=-2, axis2=-1)
    np.testing.assert_allclose(lib.numpy(got), expected, atol=100 * eps(dtype))
