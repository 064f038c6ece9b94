"""Permutation: a group of unitary operators, and what it reorders keeps its structure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Identity, Product, Sum
from kronlin.arrays import kind
from kronlin.testing import check_operator
from tests.libraries import STRICT_DEVICE
from tests.matrices import each_dtype, normal, positive
from tests.operators.laws import check, close

CYCLE = (1, 2, 3, 0)


def permutation(p, dtype="float64"):
    return kl.Permutation(p, dtype=dtype)


@each_dtype()
@pytest.mark.parametrize("p", [CYCLE, (2, 1, 0), (1, 0, 4, 2, 3)], ids=str)
def test_laws(lib, dtype, p):
    check(kl.Permutation(p, like=lib.asarray([0.0], dtype)), np.eye(len(p), dtype=dtype)[list(p)], lib)


@given(st.integers(0, 6).flatmap(lambda n: st.permutations(range(n))), st.integers(-7, 7))
def test_laws_and_powers_of_any(p, m):
    op, dense = permutation(p), np.eye(len(p))[list(p)]
    check_operator(op, dense)
    check_operator(op.power(m), np.linalg.matrix_power(dense, m))
    assert type(op.power(m)) in (kl.Permutation, Identity)


def test_result_types():
    p, q = permutation(CYCLE), permutation((3, 1, 0, 2))
    for op in (p @ q, p.H, p.T, p.inverse(), p.pinv(), p.power(2), p.power(-3)):
        assert type(op) is kl.Permutation
    assert p.inverse().indices == (3, 0, 1, 2)
    assert p.inverse().inverse() is p
    assert p.inverse() is p.H
    assert type(p @ p.H) is type(p @ p.inverse()) is type(p.power(4)) is Identity
    for op in (kl.Selection([3], 4, dtype="float64") @ p, p @ kl.Selection([3, 3, 0, 0], 4, dtype="float64")):
        assert type(op) is kl.Selection
    close((p @ q).to_dense(), p.to_dense() @ q.to_dense())
    close(p.solve(np.arange(4.0)), np.linalg.solve(p.to_dense(), np.arange(4.0)))


def test_a_matrix_put_in_another_order():
    a, p = positive(4), permutation(CYCLE)
    order = list(CYCLE)
    A = kl.assume(kl.Dense(a), "pd")
    close((p @ A).to_dense(), a[order])
    close((A @ p).to_dense(), a @ p.to_dense())
    moved = p @ A @ p.H
    assert (type(moved), moved.is_pd) == (kl.Dense, True)
    close(moved.to_dense(), a[np.ix_(order, order)])
    swap = permutation((1, 0, 2, 3))
    assert (swap @ A @ swap).is_pd is True
    assert type(A @ p) is kl.Dense
    assert (p @ A @ p)._promised.pd is None


def test_a_diagonal_put_in_another_order():
    d, p = np.arange(1.0, 5.0), permutation(CYCLE)
    moved = p @ kl.Diagonal(d) @ p.H
    assert (type(moved), moved.is_pd) == (kl.Diagonal, True)
    close(moved.diagonal(), d[list(CYCLE)])


@each_dtype(("float64", "complex64"))
def test_damping_reaches_what_is_put_in_another_order(lib, dtype):
    """Pᴴ K P + λ I keeps K's way of being inverted, and its determinant."""
    factors = [kl.assume(kl.Dense(lib.asarray(positive(n, dtype))), "psd") for n in (2, 3)]
    K, p = kl.Kronecker(*factors), [4, 2, 0, 5, 3, 1]
    P, turn = kl.Permutation(p, like=factors[0]), np.eye(6)[p]
    op, twin = P.H @ K @ P, turn.T @ np.kron(positive(2, dtype), positive(3, dtype)) @ turn
    for shifted, c in (
        (op.damped(0.5), 0.5),
        (op.damped(0.25).damped(0.25), 0.5),
        (op - 2 * kl.Identity(6, like=op), -2),
    ):
        check(shifted, (twin + c * np.eye(6)).astype(dtype), lib)
    damped = op.damped(0.5)
    assert type(damped) is Product
    assert damped.is_pd is True
    inverse = damped.inverse()
    assert [type(factor) for factor in inverse.factors] == [kl.Permutation, kl.Spectral, kl.Permutation]
    assert inverse.is_pd is True


def test_other_products_are_damped_by_a_term():
    K, P, R = (kl.Kronecker(positive(2), positive(2)), permutation((1, 2, 3, 0)), permutation((1, 0, 3, 2)))
    for op in (P @ K @ R, P @ K, P @ K @ P):
        assert type(op.damped(1.0)) is Sum


def test_roots_exist_only_for_what_is_definite():
    with pytest.raises(kl.NotPositiveDefiniteError, match="eigenvalue -1"):
        permutation((1, 0)).sqrt()
    with pytest.raises(ValueError, match="eigh needs a self-adjoint"):
        permutation(CYCLE).power(0.5)
    assert permutation((1, 0)).is_psd is False


def test_kinds_and_size():
    assert kl.Permutation(STRICT_DEVICE.asarray([1, 0]), dtype="float32").kind == kind(
        STRICT_DEVICE.asarray([0.0], "float32")
    )
    assert kl.Permutation([1, 0], like=np.zeros(1)).astype("complex64").indices == (1, 0)
    n = 10**5
    order = np.random.default_rng(0).permutation(n)
    op, x = kl.Permutation(order, dtype="float64"), normal((n, 2))
    np.testing.assert_array_equal(op @ x, x[order])
    np.testing.assert_array_equal(op.H @ (op @ x), x)
    sign, logarithm = op.slogdet()
    assert abs(float(sign)) == 1
    assert float(logarithm) == 0


@pytest.mark.parametrize(
    ("p", "error", "message"),
    [
        ([0, 0, 2], ValueError, "p has no 1"),
        ([0, 3, 1], ValueError, r"indices\[1\] is 3"),
        ([0.0, 1.0], TypeError, "integer"),
        (np.zeros(2), TypeError, "not float64"),
    ],
)
def test_bad_input(p, error, message):
    with pytest.raises(error, match=message):
        kl.Permutation(p, dtype="float64")
    with pytest.raises(TypeError, match="needs like="):
        kl.Permutation([1, 0])
