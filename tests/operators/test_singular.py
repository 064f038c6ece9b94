"""Operators without full rank, and the smallest ones: one rule decides what is 0, in every structure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.libraries import NUMPY
from tests.matrices import DOUBLE, DTYPES, adjoint, each_dtype, eps, normal, positive, wide

N = 6


def semidefinite(n, rank, dtype, seed=0):
    x = normal((n, rank), dtype, seed)
    a = x @ adjoint(x)
    return (a + adjoint(a)) / 2


def structures(lib, dtype):
    """Operators of rank below N, by structure, all psd by promise or by a look."""

    def psd(x):
        return kl.assume(kl.Dense(lib.asarray(x)), "psd")

    rank_one, rank_two = semidefinite(3, 1, dtype), semidefinite(3, 2, dtype, 1)
    whole = semidefinite(N, 3, dtype)
    w = np.array([1.0, 2.0, 0.0, 0.0, 3.0, 0.0]).astype(whole.real.dtype)
    q = np.linalg.qr(normal((N, N), dtype))[0].astype(dtype)
    return {
        "Dense": psd(whole),
        "Dense, unpromised": kl.Dense(lib.asarray(whole)),
        "Dense, of equal rows": psd(np.ones((N, N), dtype)),
        "Dense, zero": psd(np.zeros((N, N), dtype)),
        "Kronecker": kl.Kronecker(psd(rank_one), psd(positive(2, dtype))),
        "Kronecker, unpromised": kl.Kronecker(*(kl.Dense(lib.asarray(x)) for x in (rank_two, positive(2, dtype)))),
        "BlockDiagonal": kl.BlockDiagonal([psd(rank_one), psd(rank_two)]),
        "BlockDiagonal, one regular": kl.BlockDiagonal([psd(rank_one), psd(positive(3, dtype))]),
        "Spectral": kl.Spectral(lib.asarray(q), lib.asarray(w)),
        "LowRank": kl.LowRank(lib.asarray(normal((N, 2), dtype))),
        "LowRank, of equal columns": kl.LowRank(lib.asarray(np.repeat(normal((N, 1), dtype), 2, axis=1))),
        "LowRank, zero": kl.LowRank(lib.asarray(np.zeros((N, 2), dtype))),
        "LowRank of no column": kl.LowRank(lib.asarray(np.zeros((N, 0), dtype))),
    }


def near(lib, got, expected, dtype, digits_lost=1e3):
    size = max(1.0, float(abs(expected).max()))
    np.testing.assert_allclose(wide(lib.numpy(got)), expected, rtol=0, atol=digits_lost * eps(dtype) * size)


@each_dtype()
def test_rank_deficient(lib, dtype):
    if lib.name == "jax":
        pytest.skip("JAX compiles each of the hundred calls; the kernels are the same")
    for name, op in structures(lib, dtype).items():
        dense = wide(lib.numpy(op.to_dense()))
        near(lib, op.pinv().to_dense(), np.linalg.pinv(dense, rcond=10 * N * eps(dtype)), dtype, 1e4)
        near(lib, (op.sqrt() @ op.sqrt()).to_dense(), dense, dtype)
        lam = float(0.1 * max(np.linalg.norm(dense, 2), 1.0))
        near(lib, op.damped(lam).inverse().to_dense() * lam, lam * np.linalg.inv(dense + lam * np.eye(N)), dtype)
        if dtype not in DOUBLE:
            continue  # decomposed in double precision, where what single precision rounded is not 0
        for act in (op.inverse, lambda op=op: op.power(-0.5), lambda op=op: op.solve(lib.asarray(np.ones(N, dtype)))):
            with pytest.raises(kl.SingularMatrixError):
                act()
        sign, logarithm = op.slogdet()
        if "unpromised" in name:  # by LU, and so down to rounding
            assert float(logarithm) < N * np.log(np.linalg.norm(dense, 2)) + 0.9 * np.log(eps(dtype))
        else:
            assert (complex(sign), float(logarithm)) == (0.0, -np.inf), name
            with pytest.raises(ValueError, match="not positive"):
                op.logdet()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_determinant_of_no_rows_is_one_whatever_the_other_factor(dtype):
    sign, logarithm = kl.Kronecker(np.zeros((0, 0), dtype), np.ones((2, 2), dtype)).slogdet()
    assert (complex(sign), float(logarithm)) == (1.0, 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_by_one_and_empty(dtype):
    one, none = np.full((1, 1), 4.0, dtype), np.zeros((0, 0), dtype)
    real = one.real.dtype
    for op, square in (
        (kl.Dense(one), one),
        (kl.Kronecker(one, np.eye(1, dtype=dtype)), one),
        (kl.BlockDiagonal([none, one]), one),
        (kl.Spectral(np.eye(1, dtype=dtype), np.full(1, 4.0, real)), one),
        (kl.Diagonal(one[0]), one),
        (kl.Dense(none), none),
        (kl.Kronecker(none, np.eye(2, dtype=dtype)), none),
        (kl.BlockDiagonal([none, none]), none),
        (kl.Spectral(none, np.zeros(0, real)), none),
        (kl.Diagonal(np.zeros(0, dtype)), none),
        (kl.LowRank(none), none),
    ):
        for each in (op, op.sqrt() @ op.sqrt(), op.pinv().pinv(), op.power(-0.5).pinv() @ op.power(-0.5).pinv()):
            near(NUMPY, each.to_dense(), wide(square), dtype) if square.size else None
            assert each.shape == square.shape
        near(NUMPY, op.damped(1.0).inverse().to_dense(), wide(square) / 20, dtype) if square.size else None
        assert op.solve(np.ones(len(square), dtype)).shape == (len(square),)
        assert float(op.slogdet()[1]) == pytest.approx(np.log(4.0) * len(square))
        assert op.eigvalsh().shape == (len(square),)


def test_a_member_of_a_stack_without_full_rank():
    blocks = [kl.assume(kl.Dense(x), "psd") for x in (positive(3), semidefinite(3, 1, "float64"), positive(3, seed=1))]
    op = kl.BlockDiagonal(blocks)
    assert len(op.buckets) == 1
    np.testing.assert_allclose(op.buckets[0].slogdet()[1][[0, 2]], [blocks[0].logdet(), blocks[2].logdet()], rtol=1e-12)
    assert float(op.slogdet()[1]) == -np.inf


@given(st.integers(1, 6), st.integers(0, 6), st.floats(0, 12), st.sampled_from(DTYPES), st.integers(0, 99))
def test_any_rank_and_condition(n, rank, digits, dtype, seed):
    """Eigenvalues down to 1e-12 of the largest, and zeros."""
    double = "complex128" if dtype.startswith("complex") else "float64"
    q = np.linalg.qr(normal((n, n), double, seed))[0]
    w = np.where(np.arange(n) < rank, np.logspace(0, -min(digits, -np.log10(50 * n * eps(dtype))), n), 0.0)
    dense = ((q * w) @ adjoint(q)).astype(dtype)
    op = kl.assume(kl.Dense((dense + adjoint(dense)) / 2), "psd")
    near(NUMPY, (op.sqrt() @ op.sqrt()).to_dense(), wide(op.to_dense()), dtype, 50)
    near(NUMPY, op.eigh().to_dense(), wide(op.to_dense()), dtype, 20)
    assert np.all(op.eigvalsh() >= 0)
    product = wide((op @ op.pinv() @ op).to_dense())
    size = float(np.linalg.norm(wide(op.pinv().to_dense()), 2)) if rank else 1.0
    np.testing.assert_allclose(product, wide(op.to_dense()), atol=50 * n * eps(dtype) * max(1.0, size))
    lam = 0.1
    near(NUMPY, op.damped(lam).inverse().to_dense(), np.linalg.inv(wide(dense) + lam * np.eye(n)), dtype, 500)
    if rank < n and dtype in DOUBLE:
        with pytest.raises(kl.SingularMatrixError):
            op.power(-0.5)
        assert float(op.slogdet()[1]) == -np.inf
