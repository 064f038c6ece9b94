"""KroneckerSum: separable operators on a grid, in the eigenbasis of their factors."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Power, Sum
from kronlin.operators import fallback
from kronlin.testing import check_operator
from tests.algebra.bare import Bare
from tests.matrices import DTYPES, each_dtype, hermitian, normal, positive
from tests.operators.laws import check, close


def ksum(*factors):
    """The dense Kronecker sum."""
    sizes = [len(a) for a in factors]
    return sum(
        reduce(np.kron, [a if i == j else np.eye(n, dtype=a.dtype) for j, n in enumerate(sizes)])
        for i, a in enumerate(factors)
    )


@each_dtype()
def test_laws(lib, dtype):
    factors = hermitian(2, dtype), positive(3, dtype)
    check(kl.KroneckerSum(*map(lib.asarray, factors)), ksum(*factors), lib)


@pytest.mark.parametrize("dtype", DTYPES)
def test_laws_of_factors_that_are_not_self_adjoint(dtype):
    factors = normal((2, 2), dtype) + 2 * np.eye(2, dtype=dtype), normal((2, 2), dtype, 1), normal((1, 1), dtype, 2)
    check_operator(kl.KroneckerSum(*factors), ksum(*factors))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 99))
def test_products_of_any_number_of_factors(sizes, k, seed):
    factors = [normal((n, n), seed=seed + i) for i, n in enumerate(sizes)]
    op, dense, x = kl.KroneckerSum(*factors), ksum(*factors), normal((np.prod(sizes), k), seed=seed)
    np.testing.assert_allclose(op @ x, dense @ x, atol=1e-12)
    np.testing.assert_allclose(op.norm(), np.linalg.norm(dense), rtol=1e-13)
    np.testing.assert_allclose(op.trace(), np.trace(dense), atol=1e-12)
    np.testing.assert_allclose(op.diagonal(), np.diagonal(dense), atol=1e-13)


def test_the_vec_is_row_major():
    a, b, x = normal((3, 3)), normal((4, 4), seed=1), normal((3, 4), seed=2)
    close(kl.KroneckerSum(a, b) @ x.ravel(), (a @ x + x @ b.T).ravel())


def test_no_identity_is_multiplied(monkeypatch):
    monkeypatch.setattr(kl.Identity, "_matmat", None)
    close(kl.KroneckerSum(hermitian(2), hermitian(3)) @ np.ones(6), ksum(hermitian(2), hermitian(3)) @ np.ones(6))


def test_result_types_and_values():
    a, b = hermitian(3), positive(4)
    op, dense = kl.KroneckerSum(a, b), ksum(a, b)
    for result, due, kept in (
        (op.H, dense, kl.KroneckerSum),
        (-2 * op, -2 * dense, kl.KroneckerSum),
        (1j * op, 1j * dense, kl.KroneckerSum),
        (op.damped(0.5), dense + np.eye(12) / 2, kl.KroneckerSum),
        (op + 1j * kl.Identity(12, dtype="complex128"), dense + 1j * np.eye(12), kl.KroneckerSum),
        (
            op + kl.KroneckerSum(b[:3, :3], a[:1, :1] * np.eye(4)),
            dense + ksum(b[:3, :3], a[0, 0] * np.eye(4)),
            kl.KroneckerSum,
        ),
        (op.inverse(), np.linalg.inv(dense), kl.Spectral),
        (op.pinv(), np.linalg.inv(dense), kl.Spectral),
        (op.power(3), dense @ dense @ dense, kl.Spectral),
        (op.eigh(), dense, kl.Spectral),
    ):
        assert type(result) is kept
        close(result.to_dense(), due, 1e-11)
    assert type(op.eigh().Q) is kl.Kronecker
    assert op.inverse().inverse() is op
    assert type(kl.KroneckerSum(normal((2, 2)), b).H) is kl.KroneckerSum
    assert type(kl.KroneckerSum(normal((2, 2)), b).T) is kl.KroneckerSum
    assert type(kl.KroneckerSum(normal((2, 2)), b).power(2)) is Power
    assert type(kl.KroneckerSum(hermitian(2), hermitian(3)) + kl.KroneckerSum(hermitian(3), hermitian(2))) is Sum


def test_a_grid_too_large_to_form_is_solved():
    n = 80
    laplacian = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    op = kl.KroneckerSum(laplacian, laplacian)
    assert op.shape[0] > fallback.DENSE_LIMIT
    b = normal((n * n,))
    close(op @ op.solve(b), b, 1e-10)
    w = np.linalg.eigvalsh(laplacian)
    assert op.logdet() == pytest.approx(np.log(w[:, None] + w).sum(), rel=1e-12)
    root = op.power(-0.5)
    close(root @ (root @ b), op.solve(b), 1e-10)


def test_factors_that_are_not_self_adjoint_have_the_dense_method_with_its_limit(monkeypatch):
    op = kl.KroneckerSum(normal((2, 2)), normal((3, 3), seed=1))
    assert type(op.inverse()) is kl.Dense
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 5)
    with pytest.raises(ValueError, match="above the limit of 5"):
        kl.KroneckerSum(normal((2, 2)), normal((3, 3), seed=1)).inverse()


def test_shifts_leave_the_larger_factor_and_what_it_has_factored_alone():
    large = kl.Dense(hermitian(4))
    op = kl.KroneckerSum(large, positive(2))
    for c in (0.5, 2.0):
        shifted = op.damped(c)
        assert shifted.factors[0] is large
        close(shifted.inverse().to_dense(), np.linalg.inv(ksum(hermitian(4), positive(2)) + c * np.eye(8)), 1e-10)
        assert shifted.eigh().Q.factors[0] is large.eigh().Q


def test_properties():
    psd, pd = (kl.assume(kl.Dense(positive(n)), word) for n, word in ((2, "psd"), (3, "pd")))
    assert kl.KroneckerSum(psd, pd).is_pd is True
    assert kl.KroneckerSum(psd, psd).properties == (True, True, None)
    assert kl.KroneckerSum(hermitian(2), pd).properties == (True, None, None)
    assert kl.KroneckerSum(normal((2, 2)), pd).properties == (None, None, None)
    assert kl.KroneckerSum(psd, psd).damped(0.1).is_pd is True
    minus = kl.Diagonal(np.array([-1.0, -2.0]))
    check_operator(kl.KroneckerSum(minus, kl.Diagonal(np.array([3.0, 4.0]))))
    check_operator(kl.KroneckerSum(pd, minus, kl.Identity(2, dtype="float64")))


def test_sums_are_opened_and_a_single_factor_is_itself():
    a, b, c = (hermitian(n) for n in (2, 3, 2))
    for op in (kl.KroneckerSum(kl.KroneckerSum(a, b), c), kl.KroneckerSum(a, kl.KroneckerSum(b, c))):
        assert [factor.shape[0] for factor in op.factors] == [2, 3, 2]
        close(op.to_dense(), ksum(a, b, c))
    close(kl.KroneckerSum(a).to_dense(), a)


@pytest.mark.parametrize("wrap", [kl.Dense, lambda a: kl.Kronecker(a), Bare])
def test_the_norm_neither_cancels_nor_overflows(wrap):
    e = normal((3, 3)) * 1e-8
    op = kl.KroneckerSum(wrap(np.eye(3) + e), kl.Diagonal(-np.ones(2)))
    assert op.norm() == pytest.approx(
        np.linalg.norm(ksum(np.eye(3) + e, -np.eye(2))), rel=1e-6 if wrap is kl.Dense else 1
    )
    assert kl.KroneckerSum(kl.Identity(3, dtype="float64"), -1 * kl.Identity(2, dtype="float64")).norm() == 0
    huge = kl.KroneckerSum(wrap(1e200 * normal((2, 2))), wrap(1e200 * normal((3, 3))))
    assert huge.norm() == pytest.approx(1e200 * np.linalg.norm(ksum(normal((2, 2)), normal((3, 3)))), rel=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_equal_blocks_are_computed_together(dtype):
    pairs = [(hermitian(2, dtype, s), positive(3, dtype, s)) for s in (0, 1)]
    op = kl.BlockDiagonal([kl.KroneckerSum(*pair) for pair in pairs])
    assert [bucket.batch for bucket in op.buckets] == [(2,)]
    dense = np.block([[ksum(*pairs[0]), np.zeros((6, 6))], [np.zeros((6, 6)), ksum(*pairs[1])]])
    check_operator(op, dense)
    check_operator(kl.BlockDiagonal([kl.KroneckerSum(kl.Identity(2, dtype=dtype), b) for _, b in pairs]))
    assert type(op.damped(0.1).buckets[0]) is kl.KroneckerSum
    assert type(op.inverse().buckets[0]) is kl.Spectral


def test_prepare_decomposes():
    a = kl.Dense(hermitian(2))
    op = kl.KroneckerSum(a, positive(3))
    assert op.prepare() is op
    assert op._kept("eigh") is not None
    assert kl.KroneckerSum(normal((2, 2)), a).prepare()._kept("eigh") is None


def test_bad_input():
    with pytest.raises(ValueError, match="at least one factor"):
        kl.KroneckerSum()
    with pytest.raises(ValueError, match="square factors, and one is 2×3"):
        kl.KroneckerSum(np.eye(2), np.ones((2, 3)))
    with pytest.raises(ValueError, match="NaN or infinite"):
        kl.KroneckerSum(np.eye(2), np.array([[np.nan]]))
    with pytest.raises(ValueError, match="mixes numpy float64 with numpy float32"):
        kl.KroneckerSum(np.eye(2), np.eye(2, dtype="float32"))
