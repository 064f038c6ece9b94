"""Sums, products and Gram matrices of what is cut into blocks."""

from itertools import product as pairs

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Product, rules
from kronlin.testing import check_operator
from tests.matrices import normal, positive
from tests.operators.laws import close


def block_matrix(rows, columns, seed=0, dtype="float64"):
    blocks = [[normal((m, n), dtype, seed + 10 * i + j) for j, n in enumerate(columns)] for i, m in enumerate(rows)]
    return kl.BlockMatrix(blocks)


def cut(rows, columns, seed=0):
    """Every kind of operator with the given cuts."""
    found = [block_matrix(rows, columns, seed)]
    if len(rows) == len(columns):
        found.append(kl.BlockDiagonal([normal((m, n), seed=seed + m) for m, n in zip(rows, columns, strict=True)]))
    if len(columns) == 1:
        found.append(kl.VStack([normal((m, columns[0]), seed=seed + m) for m in rows]))
    if len(rows) == 1:
        found.append(kl.HStack([normal((rows[0], n), seed=seed + n) for n in columns]))
    return found


@pytest.mark.parametrize("outer", [[2, 1], [3]], ids=str)
@pytest.mark.parametrize("inner", [[2, 2], [1, 3]], ids=str)
@pytest.mark.parametrize("last", [[1, 2], [2]], ids=str)
def test_products_are_formed_block_by_block_where_the_cuts_agree(outer, inner, last):
    for a, b in pairs(cut(outer, inner), cut(inner, last, 50)):
        found = a @ b
        close(found.to_dense(), a.to_dense() @ b.to_dense())
        assert not isinstance(found, Product), f"{a!r} @ {b!r}"
        close(rules.gram(a.H, b), a.to_dense() @ b.to_dense())


def test_result_types():
    a, d = block_matrix([2, 2], [2, 2]), kl.BlockDiagonal([normal((2, 2)), normal((2, 2), seed=1)])
    tall, wide = (
        kl.VStack([normal((2, 1)), normal((2, 1), seed=1)]),
        kl.HStack([normal((1, 2)), normal((1, 2), seed=1)]),
    )
    for op in (a @ a, a @ d, d @ a, a + a, a + d, d + a, a - d):
        assert type(op) is kl.BlockMatrix
    assert type(a @ tall) is kl.VStack
    assert type(wide @ a) is kl.HStack
    assert type(block_matrix([2], [2, 2]) @ block_matrix([2, 2], [2])) is kl.VStack
    close((a - d).to_dense(), a.to_dense() - d.to_dense())


def test_other_cuts_stay_lazy_and_right():
    a, b = block_matrix([2, 1], [2, 1]), block_matrix([1, 2], [1, 2], 5)
    for found, expected in (
        (a @ b, a.to_dense() @ b.to_dense()),
        (a + b, a.to_dense() + b.to_dense()),
        (kl.Dense._make(rules.gram(a, b)), a.to_dense().T @ b.to_dense()),
    ):
        assert type(found) is not kl.BlockMatrix
        close(found.to_dense(), expected)


def test_blocks_that_no_rule_joins_stay_lazy_and_are_applied_once():
    calls = []
    f = kl.Function(lambda x: calls.append(1) or x, shape=(2, 2), dtype="float64")
    op = kl.BlockMatrix([[f, f], [f, f]])
    assert type(op @ op) is Product
    (op @ op) @ np.ones(4)
    assert len(calls) == 8


def test_structure_is_kept_inside():
    k = kl.Kronecker(positive(2), positive(2, seed=1))
    op = kl.BlockMatrix([[k, None], [k, kl.Identity(4, like=k)]])
    square = op @ op
    assert [type(block) for row in square.blocks for block in row][:2] == [kl.Kronecker, kl.Zero]
    close(square.to_dense(), op.to_dense() @ op.to_dense())


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_congruences_stay_definite(dtype):
    b = block_matrix([2, 1], [1, 3], dtype=dtype)
    d = kl.BlockDiagonal([kl.assume(kl.Dense(positive(n, dtype)), "pd") for n in (2, 1)])
    for op, expected in (
        (b.H @ b, b.to_dense().conj().T @ b.to_dense()),
        (b.H @ d @ b, b.to_dense().conj().T @ d.to_dense() @ b.to_dense()),
        (b @ b.H, b.to_dense() @ b.to_dense().conj().T),
    ):
        assert (type(op), op.is_psd) == (kl.BlockMatrix, True)
        check_operator(op, expected)
    assert (b.H @ d @ block_matrix([2, 1], [1, 3], 7, dtype)).is_psd is not True
    assert (2 * kl.assume(b.H @ d @ b, "psd") + b.H @ b).is_psd is True
