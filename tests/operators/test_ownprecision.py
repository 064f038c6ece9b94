"""Damping in the precision of the data: when it serves, what it costs in digits, and the way to double precision."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.arrays import library_named
from kronlin.operators.ownprecision import own_eigh, serves
from tests.matrices import each_dtype, eps, hermitian, normal, positive, wide

SINGLE = pytest.mark.parametrize("dtype", ["float32", "complex64"])


@pytest.fixture
def decomposed(monkeypatch):
    """The dtypes in which NumPy's arrays are decomposed, one after the other."""
    dtypes, library = [], type(library_named("numpy"))
    real = library.eigh
    monkeypatch.setattr(library, "eigh", lambda self, a: dtypes.append(a.dtype.name) or real(self, a))
    return dtypes


def gram(n, d, dtype="float32", seed=0):
    """A second moment of n examples in d dimensions: of rank n < d, with rounding errors of its dtype."""
    x = normal((n, d), dtype, seed)
    return x.conj().T @ x / n


def singular(dtype):
    """A product of second moments of too few examples."""
    return kl.Kronecker(*(kl.assume(kl.Dense(gram(5, d, dtype, d)), "psd") for d in (12, 15)))


def scale(dtype):
    """Its largest eigenvalue."""
    return float(np.linalg.norm(wide(singular(dtype).to_dense()), 2))


def relative_error(K, lam, b):
    """Of a damped solution, beside that of the matrix in double precision."""
    dense = wide(K.to_dense() if K.kind.dtype_name in ("float64", "complex128") else K.astype(_double(K)).to_dense())
    exact = np.linalg.solve(dense + lam * np.eye(len(dense)), wide(b))
    return np.linalg.norm(wide(K.damped(lam).inverse() @ b) - exact) / np.linalg.norm(exact)


def _double(K):
    return {"float32": "float64", "complex64": "complex128"}[K.kind.dtype_name]


@SINGLE
def test_strong_damping_is_served_in_single_precision(dtype, decomposed):
    K = kl.Kronecker(gram(20, 8, dtype), gram(20, 9, dtype, 1))
    damped = K.damped(0.1)
    assert decomposed == [dtype, dtype]
    assert damped.kind.dtype_name == dtype
    K.damped(0.2)
    assert len(decomposed) == 2
    assert relative_error(K, 0.1, normal(72, dtype)) < 1e-4


@pytest.mark.parametrize("lam", [3e-4, 1e-6, 1e-8])
@SINGLE
def test_weak_damping_of_singular_factors_is_decomposed_in_double_precision(dtype, lam, decomposed):
    """Fewer examples than dimensions: in single precision the zeros would be noise of eps times the largest."""
    K, lam, b = singular(dtype), lam * scale(dtype), normal(180, dtype)
    x = K.damped(lam).inverse() @ b
    assert decomposed == [dtype, dtype, *["float64" if dtype == "float32" else "complex128"] * 2]
    assert np.array_equal(x, singular(dtype).eigh().damped(lam).inverse() @ b)


@pytest.mark.parametrize("lam", np.logspace(-3.4, 1, 10))
@SINGLE
def test_what_is_served_keeps_half_of_the_digits(dtype, lam, decomposed):
    K = singular(dtype)
    assert relative_error(K, lam * scale(dtype), normal(180, dtype)) < eps(dtype) ** 0.5
    assert decomposed == [dtype, dtype]


def test_no_eigenvalue_of_a_psd_factor_is_below_zero(decomposed):
    K = singular("float32")
    damped = K.damped(0.1 * float(K.norm()))
    assert decomposed == ["float32", "float32"]
    assert float(np.min(damped.w)) >= float(np.float32(0.1 * float(K.norm())))
    assert damped.is_pd


def test_a_decomposition_asked_for_by_name_stays_in_double_precision_and_is_preferred(decomposed):
    K = kl.Kronecker(gram(20, 8), gram(20, 9, seed=1))
    K.damped(0.1)
    spectrum = K.eigh()
    assert decomposed == ["float32"] * 2 + ["float64"] * 2
    assert K.damped(0.1).Q is spectrum.Q
    assert len(decomposed) == 4


def test_an_indefinite_product_is_not_served():
    K = kl.Kronecker(hermitian(4, "float32"), gram(20, 5))
    lam = 1e-3
    dense = wide(K.to_dense()) + lam * np.eye(20)
    b = normal(20, "float32")
    exact = np.linalg.solve(dense, b)
    assert np.linalg.norm(K.damped(lam).inverse() @ b - exact) <= 1e-4 * np.linalg.norm(exact) * np.linalg.cond(dense)


def test_double_precision_has_one_ladder_step(decomposed):
    K = kl.Kronecker(gram(20, 8, "float64"), gram(20, 9, "float64", 1))
    K.damped(1e-9)
    assert decomposed == ["float64", "float64"]


@each_dtype(["float32", "complex64"])
def test_on_every_library(lib, dtype):
    g, a = positive(3, dtype), positive(4, dtype, 1)
    K = kl.Kronecker(lib.asarray(g), lib.asarray(a))
    b = normal(12, dtype, 2)
    x = K.damped(0.5).inverse() @ lib.asarray(b)
    assert lib.owns(x)
    exact = np.linalg.solve(np.kron(wide(g), wide(a)) + 0.5 * np.eye(12), wide(b))
    assert np.linalg.norm(wide(lib.numpy(x)) - exact) <= 1e-5 * np.linalg.norm(exact)


def test_factors_that_are_no_arrays_are_left_to_their_rules(decomposed):
    assert own_eigh(kl.Diagonal(np.ones(3, "float32"))).kind.dtype_name == "float32"
    assert decomposed == []


def test_serves_by_the_worst_of_a_stack():
    def parts(lowest):
        w = np.array([[0.5, 1.0], [lowest, 1.0]], "float32")
        return [kl.Spectral._make(kl.Dense._make(np.stack([np.eye(2, dtype="float32")] * 2)), w, rest=0.0)]

    assert serves(parts(0.5), 0.0)
    assert not serves(parts(1e-4), 0.0)
    assert serves(parts(1e-4), 1e-2)
    assert not serves(parts(-0.5), 0.25)
    assert not serves(2 * parts(-0.5), 0.25)
