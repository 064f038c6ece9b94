"""Conjugate gradients solve, on every array library, and refuse what they cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.krylov import cg
from tests.krylov.systems import check_solution, positive_definite, with_spectrum


@given(positive_definite(), st.integers(0, 3), st.booleans(), st.integers(0, 2**20))
def test_solves(A, columns, preconditioned, seed):
    random = np.random.default_rng(seed)
    n = len(A)
    b = random.standard_normal((n, columns) if columns else n)
    M = np.diag(1 / np.diag(A).real) if preconditioned else None
    x0 = random.standard_normal(b.shape) if seed % 2 else None
    result = cg(A, b, x0, M=M, rtol=1e-10)
    assert result.converged.all(), result.status
    exact = np.linalg.solve(A, b)
    assert result.x.shape == b.shape
    assert np.linalg.norm(result.x - exact) <= 1e-10 * np.linalg.cond(A) * np.linalg.norm(exact) + 1e-14
    assert result.iterations <= 4 * n + 1


@given(positive_definite(6), st.integers(0, 2**20))
def test_error_falls_in_the_energy_norm(A, seed):
    b = np.random.default_rng(seed).standard_normal(6)
    exact = np.linalg.solve(A, b)
    iterates = [np.zeros_like(exact)]
    cg(A, b, rtol=1e-8, callback=iterates.append)
    errors = [np.sqrt(((x - exact).conj() @ A @ (x - exact)).real) for x in iterates]
    kappa = np.sqrt(np.linalg.cond(A))
    rate = (kappa - 1) / (kappa + 1)
    for step, error in enumerate(errors):
        assert error <= (2 * rate**step + 1e-7) * errors[0]


def test_the_inverse_as_preconditioner_takes_one_step():
    A = with_spectrum(np.logspace(0, 3, 10))
    inverse = np.linalg.inv(A)
    assert cg(A, np.ones(10), M=(inverse + inverse.T) / 2, rtol=1e-9).iterations == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_all_array_libraries(lib, dtype):
    A = with_spectrum(np.logspace(0, 2, 6), is_complex=dtype == "complex128")
    b = np.random.default_rng(1).standard_normal((6, 2))
    M = np.diag(1 / np.diag(A).real)
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    result = cg(lib.asarray(A, dtype), lib.asarray(b, dtype), M=lib.asarray(M, dtype), rtol=tolerance)
    check_solution(result, lib, dtype, A, b, tolerance)
    assert isinstance(result.residuals, np.ndarray)


def test_real_operator_and_complex_right_hand_side():
    A = with_spectrum(np.logspace(0, 1, 6))
    b = np.random.default_rng(1).standard_normal((2, 6)).T @ np.array([1.0, 1j])
    result = cg(A, b, M=np.diag(1 / np.diag(A)), rtol=1e-10)
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), rtol=1e-8)


def test_looks_seldom_on_an_accelerator():
    import array_api_strict as strict

    looks = {}
    for name in ("CPU_DEVICE", "device1"):
        device = strict.Device(name)
        A = strict.asarray(with_spectrum(np.logspace(0, 2, 20)), device=device)
        seen = []
        result = cg(A, strict.ones(20, dtype=strict.float64, device=device), callback=seen.append)
        assert result.converged.all()
        looks[name] = len(seen) - result.iterations
    assert looks["CPU_DEVICE"] == 0
    assert 0 < looks["device1"] < 10


def test_consistent_singular_system():
    A = with_spectrum([0.0, 0.0, 1.0, 2.0, 3.0])
    b = A @ np.arange(5.0)
    x, info = cg(kl.assume(A, "psd"), b, rtol=1e-10)
    assert info == 0
    np.testing.assert_allclose(x, np.linalg.pinv(A) @ b, atol=1e-8)


SKEWED = np.array([[2.0, 1.0], [0.0, 2.0]])
SINGULAR = kl.LowRank(np.array([[1.0], [1.0]]))


@pytest.mark.parametrize("M", [SKEWED, SINGULAR], ids=["not self-adjoint", "singular"])
def test_refusal_of_a_preconditioner_names_the_ways_out(M):
    with pytest.raises(ValueError, match="known") as error:
        cg(np.eye(2), np.ones(2), M=M)
    for way in ("deflated_cg", '"BNN"', "gmres"):
        assert way in str(error.value)
