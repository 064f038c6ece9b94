"""Ritz vectors from conjugate gradients: the Lanczos relations, the compression, and what they save the next time."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.krylov import cg, deflated_cg, lanczos
from kronlin.krylov.recycling import RitzWindow
from tests.krylov.systems import NETS, net, with_spectrum

VALUES = np.concatenate([[1e-4, 5e-4, 2e-3, 5e-3], np.linspace(1, 20, 116)])
A = with_spectrum(VALUES, seed=1)
RANDOM = np.random.default_rng(0)
B = RANDOM.standard_normal((120, 2))


def angle(space, vector):
    """Sine of the angle between a vector and a space."""
    q = np.linalg.qr(space)[0]
    return np.linalg.norm(vector - q @ (q.conj().T @ vector)) / np.linalg.norm(vector)


@pytest.mark.parametrize("preconditioned", [False, True])
@pytest.mark.parametrize("is_complex", [False, True])
def test_as_long_as_the_window_is_not_full_it_is_lanczos(preconditioned, is_complex):
    matrix = with_spectrum(np.logspace(0, 2, 50), is_complex=is_complex)
    M = with_spectrum(np.logspace(-1, 1, 50), seed=5, is_complex=is_complex) if preconditioned else None
    b = RANDOM.standard_normal(50) + (1j if is_complex else 0)
    result = cg(matrix, b, M=M, maxiter=10, rtol=1e-12, recycle=3)
    expected = lanczos(matrix, 10, M, start=b)
    np.testing.assert_allclose(result.ritz_values, expected.ritz_values[:3], rtol=1e-6)
    U = result.ritz_vectors
    assert U.shape == (50, 3)
    weight = np.eye(50) if M is None else np.linalg.inv(M)
    np.testing.assert_allclose(U.conj().T @ weight @ U, np.eye(3), atol=1e-8)
    np.testing.assert_allclose(U.conj().T @ matrix @ U, np.diag(result.ritz_values), atol=1e-6)


def test_compression_keeps_what_matters():
    result = cg(A, B[:, 0], rtol=1e-10, recycle=6)
    assert result.iterations > 2 * 32, "the window must be compressed more than once"
    np.testing.assert_allclose(result.ritz_values[:4], VALUES[:4], rtol=1e-3)
    vectors = np.linalg.eigh(A)[1]
    for j in range(4):
        assert angle(result.ritz_vectors, vectors[:, j]) < 0.05


def test_the_next_system_takes_clearly_fewer_steps():
    first = cg(A, B[:, 0], rtol=1e-9, recycle=6)
    plain = cg(A, B[:, 1], rtol=1e-9)
    again = deflated_cg(A, B[:, 1], first.ritz_vectors, rtol=1e-9)
    assert again.converged.all()
    assert again.iterations < 0.75 * plain.iterations


@pytest.mark.parametrize("name", NETS)
def test_with_a_preconditioner(name):
    matrix, M, _, b, _ = net(name)
    first = cg(matrix, b, M=M, rtol=1e-9, recycle=4)
    again = deflated_cg(matrix, np.flip(b), first.ritz_vectors, M, rtol=1e-9)
    assert again.converged.all()
    assert again.iterations < cg(matrix, np.flip(b), M=M, rtol=1e-9).iterations


@pytest.mark.parametrize("scheme", ["DEF1", "DEF2", "A-DEF2", "R-BNN1"])
def test_deflated_solvers_find_what_the_coarse_space_lacks(scheme):
    Z = np.linalg.eigh(A)[1][:, 1:4]
    result = deflated_cg(A, B[:, 0], Z, scheme=scheme, rtol=1e-9, recycle=4)
    assert result.converged.all()
    lowest = np.linalg.eigh(A)[1][:, 0]
    assert angle(np.concatenate([Z, result.ritz_vectors], axis=1), lowest) < 1e-2


def test_the_first_column_is_the_one():
    both, single = cg(A, B, recycle=4), cg(A, B[:, 0], recycle=4)
    np.testing.assert_allclose(both.ritz_values, single.ritz_values, rtol=1e-6)
    np.testing.assert_array_equal(cg(A, B, check_every=9, recycle=4).ritz_values, both.ritz_values)


def test_edges():
    assert cg(A, B).ritz_vectors is None
    assert cg(A, 0 * B, recycle=2).ritz_vectors is None
    few = cg(np.diag([1.0, 2.0, 2.0]), np.ones(3), recycle=5)
    assert few.ritz_vectors.shape == (3, 2)
    np.testing.assert_allclose(few.ritz_values, [1, 2])
    with pytest.raises(ValueError, match="recycle"):
        cg(A, B, recycle=-1)


def test_memory_is_bounded():
    window = RitzWindow(kl.Dense(A).kind, 2, 9)
    window.begin()
    for _ in range(40):
        window.note(RANDOM.standard_normal((120, 1)), np.ones(1), np.ones(1), np.ones(1))
        assert len(window.matrix) + len(window.pending) <= 9


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_all_array_libraries(lib, dtype):
    matrix = with_spectrum([1.0, 4.0, 9.0], is_complex=dtype == "complex128")
    result = cg(lib.asarray(matrix, dtype), lib.asarray(np.ones(3), dtype), rtol=1e-4, recycle=1)
    assert lib.owns(result.ritz_vectors)
    assert lib.numpy(result.ritz_vectors).dtype == dtype
    np.testing.assert_allclose(result.ritz_values, [1.0], rtol=1e-3)
