"""The dual side of U C Vᴴ: spectrum, scalars and pseudo-inverse without a matrix of the size of U Vᴴ."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Sum
from kronlin.arrays import SingularMatrixError
from kronlin.operators import fallback
from tests.algebra.bare import Bare
from tests.matrices import each_dtype, eps, hermitian, normal, positive, wide
from tests.operators.laws import check, close


def _cases(dtype):
    u, v = normal((6, 2), dtype), normal((6, 2), dtype, 1)
    c, square = hermitian(2, dtype, 2), normal((2, 2), dtype, 3)
    return {
        "U Uᴴ": (u, None, None),
        "U C Uᴴ, C psd": (u, positive(2, dtype), None),
        "U C Uᴴ, C indefinite": (u, c, None),
        "U C Uᴴ, C singular": (u, np.ones((2, 2), dtype), None),
        "U C Uᴴ, C of any kind": (u, square, None),
        "U C Vᴴ": (u, square, v),
        "dependent columns": (np.concatenate([u[:, :1]] * 2, axis=1), positive(2, dtype), None),
    }


@each_dtype()
@pytest.mark.parametrize("case", list(_cases("float64")))
def test_laws(lib, dtype, case):
    parts = _cases(dtype)[case]
    op = kl.LowRank(*(None if part is None else lib.asarray(part) for part in parts))
    u, c, v = (None if part is None else wide(part) for part in parts)
    dense = u @ (np.eye(2) if c is None else c) @ (u if v is None else v).conj().T
    check(op, dense, lib)


@pytest.mark.parametrize("function", ["trace", "diagonal", "norm", "slogdet", "pinv", "eigh"])
@pytest.mark.parametrize("case", ["U Uᴴ", "U C Uᴴ, C indefinite", "U C Vᴴ"])
def test_nothing_of_the_outer_size_is_formed(case, function, monkeypatch):
    u, c, v = _cases("float64")[case]
    if function == "eigh" and v is not None:
        return
    op = kl.LowRank(Bare(u), c, None if v is None else Bare(v))
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 2)
    getattr(op, function)()


@each_dtype(("float64", "complex128"))
def test_types(lib, dtype):
    u, c, v = (lib.asarray(normal(shape, dtype, i)) for i, shape in enumerate([(6, 2), (2, 2), (6, 2)]))
    assert type(kl.LowRank(u).eigh()) is kl.Spectral
    assert type(kl.LowRank(u).pinv()) is kl.Spectral
    assert type(kl.LowRank(u).sqrt()) is kl.Spectral
    assert type(kl.LowRank(u, c, v).pinv()) is kl.LowRank
    assert type(kl.LowRank(u).damped(0.5)) is Sum
    assert type(kl.LowRank(u).damped(0.5).eigh()) is kl.Spectral
    assert type(kl.LowRank(u).damped(0.5).power(-0.5)) is kl.Spectral
    assert type(kl.LowRank(u).damped(0.5).inverse().sqrt()) is kl.Spectral
    one, two = kl.LowRank(u), kl.LowRank(v)
    assert type(one @ two) is kl.LowRank
    assert type(one @ one) is kl.LowRank
    assert (one @ one).V is (one @ one).U
    assert type(one + one) is kl.LowRank
    assert type(one + two) is Sum
    assert type(one.eigh().Q) is kl.Dense


@pytest.mark.parametrize("dtype", ["float64", "complex128", "float32"])
def test_functions_of_the_damped_one(dtype):
    u = normal((7, 3), dtype)
    exact = wide(u) @ wide(u).conj().T + 0.5 * np.eye(7)
    w, q = np.linalg.eigh(exact)
    op = kl.LowRank(u).damped(0.5)
    tolerance = 1e3 * eps(dtype)
    for got, expected in (
        (op.power(-0.5).to_dense(), (q / np.sqrt(w)) @ q.conj().T),
        (op.sqrt().to_dense(), (q * np.sqrt(w)) @ q.conj().T),
        (op.eigvalsh(), w),
        (op.inverse().diagonal(), np.diag(np.linalg.inv(exact))),
        (op.inverse().trace(), np.trace(np.linalg.inv(exact))),
        (op.inverse().norm(), np.linalg.norm(np.linalg.inv(exact))),
        (op.norm(), np.linalg.norm(exact)),
    ):
        np.testing.assert_allclose(np.asarray(got), expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_sums_and_products_of_low_rank_operators():
    u, v = normal((6, 2)), normal((6, 2), seed=1)
    one, two = kl.LowRank(u, hermitian(2)), kl.LowRank(u, positive(2))
    shared = kl.LowRank(one.U, positive(2))
    close((one + shared).to_dense(), u @ (hermitian(2) + positive(2)) @ u.T)
    assert type(one + two) is Sum
    other = kl.LowRank(u, normal((2, 2)), v)
    close((one @ other).to_dense(), one.to_dense() @ other.to_dense())
    close((other @ one).to_dense(), other.to_dense() @ one.to_dense())
    wide_one = kl.LowRank(normal((2, 3)), None, normal((5, 3)))
    close((wide_one @ wide_one.H).to_dense(), wide_one.to_dense() @ wide_one.to_dense().T)


def test_no_inverse():
    with pytest.raises(SingularMatrixError, match="its rank is at most 2 of 6"):
        kl.LowRank(normal((6, 2))).inverse()
    with pytest.raises(SingularMatrixError, match="its rank is at most 2 of 6"):
        kl.LowRank(normal((6, 2))).solve(np.ones(6))
    assert kl.LowRank(normal((6, 2))).slogdet() == (0.0, -np.inf)


def _sum_of_two(lib, dtype, seed=0):
    """U Uᴴ / 3 + X D Xᴴ with D ≥ 0, and its dense matrix."""
    u, x, d = normal((9, 2), dtype, seed), normal((9, 3), dtype, seed + 1), positive(3, dtype)
    op = kl.LowRank(lib.asarray(u)) / 3 + kl.LowRank(lib.asarray(x), kl.assume(kl.Dense(lib.asarray(d)), "psd"))
    return op, wide(u) @ wide(u).conj().T / 3 + wide(x) @ wide(d) @ wide(x).conj().T


@each_dtype(("float32", "complex128"))
def test_a_sum_of_two_has_its_spectrum_on_the_dual_side(lib, dtype, monkeypatch):
    op, dense = _sum_of_two(lib, dtype)
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 5)
    tolerance = 1e3 * eps(dtype)
    for result, exact in (
        (op.eigh(), dense),
        (op.pinv(), np.linalg.pinv(dense, rcond=1e-6)),
        (op.damped(0.5).eigh(), dense + 0.5 * np.eye(9)),
        (op.damped(0.5).power(2), (dense + 0.5 * np.eye(9)) @ (dense + 0.5 * np.eye(9))),
    ):
        assert type(result) is kl.Spectral
        assert result.Q.shape == (9, 5)
        np.testing.assert_allclose(lib.numpy(result.to_dense()), exact, atol=tolerance * np.abs(exact).max())


def test_a_sum_of_two_sided_ones():
    parts = [[normal((9, 2), seed=i + j) for j in range(2)] for i in (0, 5)]
    op = sum((kl.LowRank(u, None, v) for u, v in parts[1:]), kl.LowRank(parts[0][0], None, parts[0][1]))
    assert type(op) is Sum
    assert type(op.pinv()) is kl.LowRank
    assert op.pinv().rank == 4
    close(op.pinv().to_dense(), np.linalg.pinv(op.to_dense()), rtol=1e-9)


def test_sums_that_are_not_of_low_rank():
    many = kl.LowRank(normal((4, 2))) + kl.LowRank(normal((4, 2), seed=1))
    close(many.eigh().to_dense(), many.to_dense())
    close(many.pinv().to_dense(), np.linalg.inv(many.to_dense()), rtol=1e-9)
    skewed = kl.LowRank(normal((6, 1))) + kl.LowRank(normal((6, 1), seed=1)) + kl.Diagonal(np.arange(6.0))
    close(skewed.eigh().to_dense(), skewed.to_dense())
    close(skewed.pinv().to_dense(), np.linalg.pinv(skewed.to_dense()), rtol=1e-9)
