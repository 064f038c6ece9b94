"""Condition numbers against dense eigenvalues, with clusters, multiplicities and null spaces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh

import kronlin as kl
from kronlin.krylov import condition_number
from tests.krylov.systems import NETS, net, positive_definite, with_spectrum

RANDOM = np.random.default_rng(0)
SPECTRA = {
    "one value": np.full(300, 3.0),
    "two clusters": np.concatenate([1 + 1e-6 * RANDOM.random(150), 100 + RANDOM.random(150)]),
    "multiple ends": np.concatenate([np.full(100, 1e-3), np.linspace(1, 10, 100), np.full(100, 2.5e3)]),
    "damped low rank": np.concatenate(
        [np.full(1162, 1e-3), 1e-3 + np.logspace(-8, -1, 2294), np.logspace(-1, 3.4, 10)]
    ),
    "lonely top": np.concatenate([1 + RANDOM.random(3465), [2.2]]),
    "lonely bottom": np.concatenate([[1e-3], 1 + RANDOM.random(3465)]),
    "bottom near the rest": np.concatenate([[0.9], np.logspace(0, 2.4, 3465)]),
    "uniform": np.linspace(1e-3, 2.5e3, 3466),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_is_right_to_one_per_cent(name):
    w = SPECTRA[name]
    c = condition_number(kl.Diagonal(w))
    exact = w.max() / w.min()
    assert c.converged, c
    assert abs(float(c) - exact) <= 0.01 * exact
    assert c.lower * (1 - 1e-9) <= exact
    assert exact <= (c.lower * (1 + 3 * c.bound) if "clusters" in name else c.upper) * (1 + 1e-9)
    assert c.bound <= 0.01
    assert c.smallest >= w.min() * (1 - 1e-6)
    assert c.largest <= w.max() * (1 + 1e-9)
    assert c.iterations < 1000


@given(positive_definite(), st.integers(0, 100))
def test_small_matrices(A, seed):
    c = condition_number(A, seed=seed)
    assert abs(c.value / np.linalg.cond(A) - 1) <= 0.01


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("one_level", [True, False])
def test_preconditioned(name, one_level):
    A, M, Z, _, _ = net(name)
    if not one_level:
        Q = Z @ np.linalg.solve(Z.T @ A @ Z, Z.T)
        P = np.eye(len(A)) - A @ Q
        M = P.T @ M @ P + Q
        M = (M + M.T) / 2
    w = eigh(A, np.linalg.inv(M), eigvals_only=True)
    c = condition_number(A, M, rtol=1e-3)
    assert c.converged
    assert abs(c.value * w[0] / w[-1] - 1) <= 1e-3


@pytest.mark.parametrize("name", NETS)
def test_effective_condition_of_a_deflated_scheme(name):
    A, M, Z, _, data = net(name)
    Q = Z @ np.linalg.solve(Z.T @ A @ Z, Z.T)
    P = kl.Dense(np.eye(len(A)) - A @ Q)
    singular = P.H @ kl.assume(M, "pd") @ P
    stored = data["tl_nico_1e-1_RBNN1_eig"]
    exact = stored[-1] / stored[stored > 1e-8][0]
    c = condition_number(A, singular)
    assert c.converged
    assert abs(c.value / exact - 1) <= 0.01


def test_null_space_of_a_known_singular_operator_is_passed_over():
    w = np.concatenate([np.zeros(50), np.linspace(0.1, 10, 50)])
    A = kl.LowRank(np.linalg.eigh(with_spectrum(w))[1][:, 50:] * np.sqrt(w[50:]))
    assert A.is_pd is False
    c = condition_number(A)
    assert c.converged
    assert abs(c.value - 100) <= 1


def test_unknown_singularity_is_infinite():
    c = condition_number(with_spectrum([0.0, 1.0, 2.0]))
    assert c.value == float("inf")
    assert not c.converged
    assert "not converged" in repr(c)


def test_says_when_it_ran_out_of_steps():
    c = condition_number(kl.Diagonal(np.logspace(0, 4, 500)), maxiter=10)
    assert not c.converged
    assert c.iterations == 10
    assert c.bound > 0.01
    assert c.value <= 1e4 <= c.upper
    assert "not converged" in repr(c)


def test_rounding_of_single_precision_is_part_of_the_bound():
    w = np.concatenate([np.full(100, 1e-3), np.full(100, 2.5e3)]).astype("float32")
    c = condition_number(with_spectrum(w).astype("float32"))
    assert not c.converged


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_all_array_libraries(lib, dtype):
    A = with_spectrum([1.0, 1.0, 4.0, 9.0], is_complex=dtype == "complex128")
    c = condition_number(lib.asarray(A, dtype), lib.asarray(np.eye(4), dtype))
    assert c.converged
    assert abs(c.value - 9) < 0.01


def test_refusals():
    with pytest.raises(ValueError, match=r"Ritz value.*indefinite"):
        condition_number(np.diag([1.0, -2.0, 3.0]))
    with pytest.raises(ValueError, match="positive semidefinite A"):
        condition_number(-kl.Identity(3, dtype="float64"))
    with pytest.raises(ValueError, match=r"self-adjoint M.*BNN"):
        condition_number(np.eye(3), np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match="rtol"):
        condition_number(np.eye(3), rtol=-1.0)
    with pytest.raises(ValueError, match="0×0"):
        condition_number(kl.Identity(0, dtype="float64"))
