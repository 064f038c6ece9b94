"""A few eigenpairs against dense ones and SciPy's: multiple values, both ends, a preconditioner, every library."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh
from scipy.sparse.linalg import eigsh as scipy_eigsh

import kronlin as kl
from kronlin.krylov import EigenResult, eigsh
from tests.krylov.systems import with_spectrum

VALUES = np.concatenate([[-30, -30, -7, 0, 0.5], np.linspace(1, 20, 60), [25, 25, 25, 25, 40]])
A = with_spectrum(VALUES, seed=1)


def exact(values, k, which):
    order = {"LM": np.argsort(-np.abs(values)), "SM": np.argsort(np.abs(values))}
    if which == "BE":
        low, high = np.sort(values)[: k // 2], np.sort(values)[len(values) - (k - k // 2) :]
        return np.concatenate([low, high])
    order |= {"LA": np.argsort(-values), "SA": np.argsort(values)}
    return np.sort(values[order[which][:k]])


@pytest.mark.parametrize("which", ["LM", "SM", "LA", "SA", "BE"])
@pytest.mark.parametrize("k", [1, 2, 5, 7])
def test_finds_every_copy(which, k):
    result = eigsh(A, k, which)
    assert isinstance(result, EigenResult)
    values, vectors = result
    np.testing.assert_allclose(values, exact(VALUES, k, which), atol=1e-10)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(k), atol=1e-10)
    residuals = np.linalg.norm(A @ vectors - vectors * values, axis=0)
    assert (residuals <= 10 * result.bounds + 1e-12).all()
    assert result.bounds.max() <= 1e-10 * 40


@pytest.mark.parametrize("which", ["LM", "SM", "LA", "SA", "BE"])
def test_agrees_with_scipy_on_simple_values(which):
    """Of multiple ones SciPy now and then misses a copy."""
    matrix = with_spectrum(np.concatenate([[-9.0, -8.5, 0.1], np.linspace(1, 20, 50)]))
    np.testing.assert_allclose(eigsh(matrix, 4, which).values, scipy_eigsh(matrix, 4, which=which)[0], atol=1e-9)


@pytest.mark.parametrize("matrix", [np.eye(3), np.zeros((3, 3))], ids=["I", "0"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_both_ends_of_equal_values(matrix, k):
    np.testing.assert_allclose(eigsh(matrix, k, "BE").values, matrix.diagonal()[:k], atol=1e-12)


@given(
    st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0, 5.0]), min_size=1, max_size=8),
    st.data(),
    st.sampled_from(["LM", "SM", "LA", "SA", "BE"]),
    st.booleans(),
    st.integers(0, 100),
)
def test_small_matrices_with_multiple_values(values, data, which, is_complex, seed):
    k = data.draw(st.integers(1, len(values)))
    matrix = with_spectrum(values, seed, is_complex)
    found, vectors = eigsh(matrix, k, which, seed=seed)
    # of -1 and 1 either may be the one of the largest modulus
    key = np.abs if which in ("LM", "SM") else np.asarray
    wanted = exact(np.array(values), k, which)
    np.testing.assert_allclose(np.sort(key(found)), np.sort(key(wanted)), atol=1e-8)
    np.testing.assert_allclose(matrix @ vectors, vectors * found, atol=1e-8)
    np.testing.assert_allclose(vectors.conj().T @ vectors, np.eye(k), atol=1e-8)


@pytest.mark.parametrize("is_complex", [False, True])
def test_preconditioned(is_complex):
    values = np.concatenate([np.linspace(1, 9, 28), [20.0, 20.0]])
    M = with_spectrum(np.linspace(1, 3, 30), seed=5, is_complex=is_complex)
    root = np.linalg.cholesky(np.linalg.inv(M))
    pencil = root @ with_spectrum(values, 3, is_complex) @ root.conj().T
    pencil = (pencil + pencil.conj().T) / 2
    result = eigsh(pencil, 4, "LA", kl.assume(M, "pd"))
    np.testing.assert_allclose(result.values, eigh(pencil, np.linalg.inv(M), eigvals_only=True)[-4:], rtol=1e-8)
    X = result.vectors
    np.testing.assert_allclose(X.conj().T @ np.linalg.inv(M) @ X, np.eye(4), atol=1e-8)
    np.testing.assert_allclose(M @ (pencil @ X), X * result.values, atol=1e-7)


def test_structured_operators_and_their_inverse():
    random = np.random.default_rng(0)
    factors = [with_spectrum(random.uniform(0.1, 5, n), n) for n in (5, 8)]
    K = kl.Kronecker(*(kl.assume(factor, "pd") for factor in factors)).damped(1e-3)
    dense = np.linalg.eigvalsh(np.kron(*factors)) + 1e-3
    np.testing.assert_allclose(eigsh(K, 3, "LA").values, dense[-3:])
    np.testing.assert_allclose(np.flip(1 / eigsh(K.inverse(), 3).values), dense[:3], rtol=1e-8)
    np.testing.assert_allclose(eigsh(kl.Identity(30, dtype="float64"), 3).values, 1.0)
    np.testing.assert_allclose(eigsh(kl.Zero((9, 9), dtype="float64"), 2).values, 0.0)


def test_singular_preconditioner_shows_its_complement_only():
    root = with_spectrum(np.linspace(1, 3, 8), seed=4)[:, :3]
    matrix = with_spectrum(np.linspace(1, 2, 8), seed=3)
    nonzero = np.sort(np.linalg.eigvals(root @ root.T @ matrix).real)[5:]
    np.testing.assert_allclose(eigsh(matrix, 2, "LA", kl.LowRank(root)).values, nonzero[1:], rtol=1e-7)
    with pytest.raises(ValueError, match="only 3 eigenvalues"):
        eigsh(matrix, 5, "LA", kl.LowRank(root))


def test_is_the_same_on_every_call():
    first, second = eigsh(A, 3), eigsh(A, 3)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    np.testing.assert_allclose(eigsh(A, 3, seed=7).values, first.values)


def test_unpacks_and_tells_what_it_found():
    result = eigsh(np.diag([1.0, 2.0, 4.0]), 2)
    assert len(result) == 2
    assert result[0] is result.values
    assert result[1] is result.vectors
    assert repr(result).startswith("EigenResult(2, 4 within ")
    assert repr(result).endswith(f", {result.iterations} steps)")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_all_array_libraries(lib, dtype):
    matrix = with_spectrum([1.0, 4.0, 9.0], is_complex=dtype == "complex128")
    result = eigsh(lib.asarray(matrix, dtype), 2, "LA")
    assert lib.owns(result.values)
    assert lib.owns(result.vectors)
    assert lib.numpy(result.vectors).dtype == dtype
    assert lib.numpy(result.values).dtype == ("float32" if dtype == "float32" else "float64")
    np.testing.assert_allclose(lib.numpy(result.values), [4, 9], rtol=1e-5)


def test_refusals():
    with pytest.raises(ValueError, match="self-adjoint A"):
        eigsh(np.triu(np.ones((3, 3))), 1)
    for k in (0, 4, 1.5):
        with pytest.raises(ValueError, match="k must be a whole number from 1 to 3"):
            eigsh(np.eye(3), k)
    with pytest.raises(ValueError, match=r"unknown which='XX', choose one of LM, SM, LA, SA, BE"):
        eigsh(np.eye(3), 1, "XX")
    with pytest.raises(RuntimeError, match=r"raise maxiter or tol"):
        eigsh(with_spectrum(np.linspace(1, 2, 60)), 5, "SA", maxiter=25)
