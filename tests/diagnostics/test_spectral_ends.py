"""spectral_ends: never too large, as accurate as asked for, and right where the process ends early."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.diagnostics._spectral_ends import spectral_ends, spectral_norm
from tests.matrices import hermitian


@pytest.mark.parametrize("rtol", [1e-1, 1e-3, 1e-6])
@pytest.mark.parametrize("seed", range(4))
def test_both_ends_of_an_indefinite_matrix_count(rtol, seed):
    """The ends of a matrix with normal entries are nearly equal in modulus."""
    A = hermitian(150, seed=seed)
    exact, found = np.linalg.norm(A, 2), spectral_norm(kl.Dense(A), rtol)
    assert exact * (1 - rtol) <= found <= exact * (1 + 1e-12)


@pytest.mark.parametrize(
    "values", [[0.0], [0.0] * 3, [2.0] * 30, [-5.0, 1.0, 1.0], [1e-200, 0.0], [1e150, -2e150]], ids=str
)
def test_few_eigenvalues(values):
    assert spectral_norm(kl.Dense(np.diag(values)), 1e-3) == pytest.approx(max(map(abs, values)), rel=1e-10)


def test_both_ends_are_found():
    A = hermitian(40)
    w = np.linalg.eigvalsh(A)
    assert spectral_ends(kl.Dense(A), 1e-8) == pytest.approx((w[0], w[-1]), rel=1e-10)
    assert spectral_ends(kl.Dense(A @ A), 1e-8) == pytest.approx((min(w**2), max(w**2)), rel=1e-8)


def test_complex_entries():
    A = hermitian(9, "complex128")
    assert spectral_norm(kl.Dense(A), 1e-8) == pytest.approx(np.linalg.norm(A, 2), rel=1e-10)
