"""Lanczos against dense eigenvalues."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh

import kronlin as kl
from kronlin.krylov import LanczosResult, lanczos
from tests.krylov.systems import positive_definite, with_spectrum


@given(positive_definite(), st.integers(0, 2**10))
def test_all_steps_give_the_whole_spectrum(A, seed):
    result = lanczos(A, len(A), seed=seed)
    exact = np.linalg.eigvalsh(A)
    assert isinstance(result, LanczosResult)
    assert result.exhausted
    for value in result.ritz_values:
        assert np.abs(value - exact).min() <= 1e-10 * exact[-1]
    for value in exact:
        assert np.abs(value - result.ritz_values).min() <= 1e-9 * exact[-1]


@given(positive_definite(6), positive_definite(6))
def test_preconditioned_spectrum(A, M):
    if np.iscomplexobj(A) != np.iscomplexobj(M):
        A, M = A.astype("complex128"), M.astype("complex128")
    exact = eigh(A, np.linalg.inv(M), eigvals_only=True)
    result = lanczos(A, 6, M)
    for value in exact:
        assert np.abs(value - result.ritz_values).min() <= 1e-8 * exact[-1]


def test_multiple_eigenvalues_end_the_process():
    result = lanczos(with_spectrum([1.0] * 5 + [2.0] * 4 + [7.0]), 10)
    assert result.exhausted
    assert result.steps == 3
    np.testing.assert_allclose(result.ritz_values, [1, 2, 7])
    assert result.bounds.max() < 1e-10


def test_indefinite_operators_are_welcome():
    np.testing.assert_allclose(lanczos(np.diag([-2.0, 1.0, 3.0]), 3).ritz_values, [-2, 1, 3])


def test_start_can_be_deflated():
    A = with_spectrum([1.0, 2.0, 3.0, 4.0], seed=2)
    w, q = np.linalg.eigh(A)
    result = lanczos(A, 4, start=q[:, 1] + q[:, 3])
    np.testing.assert_allclose(result.ritz_values, w[[1, 3]])


def test_ritz_vectors_are_eigenvectors():
    A = with_spectrum(np.concatenate([np.linspace(1, 2, 40), [10.0, 20.0]]))
    result = lanczos(A, 25)
    X = result.ritz_vectors(result.steps - 2)
    assert X.shape == (42, 2)
    np.testing.assert_allclose(A @ X, X * result.ritz_values[-2:], atol=1e-8)


def test_singular_preconditioner_shows_its_complement_only():
    A = with_spectrum(np.linspace(1, 2, 8), seed=3)
    root = with_spectrum(np.linspace(1, 3, 8), seed=4)[:, :5]
    M = root @ root.T
    nonzero = np.sort(np.linalg.eigvals(M @ A).real)[3:]
    result = lanczos(A, 8, M, start=A @ M @ np.ones(8))
    np.testing.assert_allclose(result.ritz_values, nonzero, rtol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_all_array_libraries(lib, dtype):
    A = with_spectrum([1.0, 1.0, 4.0, 9.0], is_complex=dtype == "complex128")
    M = np.diag([1.0, 1.0, 2.0, 2.0])
    result = lanczos(lib.asarray(A, dtype), 4, lib.asarray(M, dtype))
    exact = eigh(A, np.linalg.inv(M), eigvals_only=True)
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    np.testing.assert_allclose(result.ritz_values[[0, -1]], exact[[0, -1]], rtol=tolerance)
    assert lib.owns(result.basis)
    assert lib.numpy(result.ritz_vectors(0, 0)).shape == (4, 1)


def test_refusals():
    A = np.eye(3)
    with pytest.raises(ValueError, match="self-adjoint A"):
        lanczos(np.triu(np.ones((3, 3))), 2)
    with pytest.raises(ValueError, match=r"self-adjoint M.*spectrum of BNN"):
        lanczos(A, 2, np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match="steps"):
        lanczos(A, 0)
    with pytest.raises(ValueError, match="start must be a finite vector"):
        lanczos(A, 2, start=np.ones(2))
    with pytest.raises(ValueError, match="choose another"):
        lanczos(A, 2, start=np.zeros(3))
    with pytest.raises(ValueError, match="choose another one, or check that M is psd"):
        lanczos(A, 2, -A)
    rotten = kl.assume(kl.Function(lambda x: x * np.nan, shape=(3, 3), dtype="float64"), "pd")
    with pytest.raises(ValueError, match="not finite"):
        lanczos(rotten, 2)
