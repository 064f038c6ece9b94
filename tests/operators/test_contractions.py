"""Contractions: the same product whichever way an axis is multiplied, and the ways that copy nothing."""

from functools import reduce
from math import prod

import numpy as np
import pytest

import kronlin as kl
from kronlin.operators import contractions
from kronlin.operators.contractions import SMALL, contract
from tests.algebra.bare import Bare
from tests.matrices import each_dtype, normal


def by_einsum(arrays, x):
    """The product axis by axis, one after the other, in NumPy."""
    for i, array in enumerate(arrays):
        x = np.moveaxis(np.tensordot(array, x, (1, i)), 0, i)
    return x


WIDTHS = {"columns": (1, 3, 9), "sizes": ([3, 4], [3, SMALL + 1], [SMALL + 1, 3], [2, 3, 4], [3, SMALL + 1, 2], [5])}


@each_dtype(("float32", "complex128"))
@pytest.mark.parametrize("k", WIDTHS["columns"])
@pytest.mark.parametrize("sizes", WIDTHS["sizes"], ids=str)
def test_every_way_gives_the_product(lib, dtype, sizes, k):
    arrays = [normal((n + i, n), dtype, seed=i) / n for i, n in enumerate(sizes)]
    x = normal((prod(sizes), k), dtype, seed=9)
    expected = by_einsum(arrays, x.reshape(*sizes, k)).reshape(-1, k)
    for order in (range(len(sizes)), reversed(range(len(sizes)))):
        found = contract([kl.Dense(lib.asarray(a)) for a in arrays], list(order), lib.asarray(x), ())
        assert lib.owns(found)
        np.testing.assert_allclose(lib.numpy(found), expected, atol=1e-4 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("k", WIDTHS["columns"])
def test_stacks_and_factors_that_are_no_arrays(k):
    arrays = [[normal((n, n), seed=10 * block + i) for i, n in enumerate((3, 4))] for block in range(2)]
    x = normal((2, 12, k))
    stacks = [kl.Dense._make(np.stack(pair)) for pair in zip(*arrays, strict=True)]
    expected = np.stack([reduce(np.kron, pair) @ one for pair, one in zip(arrays, x, strict=True)])
    np.testing.assert_allclose(contract(stacks, [1, 0], x, (2,)), expected, atol=1e-12)
    bare = [Bare(array) for array in arrays[0]]
    np.testing.assert_allclose(contract(bare, [1, 0], x[0], ()), expected[0], atol=1e-12)


@pytest.mark.parametrize(("k", "n"), [(1, 4), (16, 4), (1, SMALL + 1)])
def test_no_axis_is_moved_for_one_column_or_small_factors(monkeypatch, k, n):
    monkeypatch.setattr(contractions, "_from_the_front", None)
    op = kl.Kronecker(normal((3, 3)), normal((n, n), seed=1))
    x = normal((3 * n, k), seed=2)
    np.testing.assert_allclose(op @ x, op.to_dense() @ x, atol=1e-11)


def test_a_small_factor_is_turned_once():
    op = kl.BlockDiagonal([kl.Kronecker(normal((2, 2), seed=i), normal((3, 3), seed=i)) for i in range(4)])
    (bucket,) = op.buckets
    op @ np.ones(24)
    turned = bucket.factors[1].row_by_row_transposed()
    op @ np.ones(24)
    assert turned.flags.c_contiguous
    assert bucket.factors[1].row_by_row_transposed() is turned
