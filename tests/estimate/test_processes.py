"""Lanczos processes side by side: each is the process of its own column, and the quadrature is Gauss's."""

import numpy as np
import pytest
from scipy.linalg import eigh_tridiagonal

import kronlin as kl
from kronlin.arrays import kind, random_normal
from kronlin.estimate.processes import Processes
from tests.krylov.systems import with_spectrum


def run(a, starts, steps, lib=None):
    array = (lambda x: x) if lib is None else lib.asarray
    processes = Processes(kl.Dense(array(a)), array(starts))
    processes.extend(steps)
    return processes


@pytest.mark.parametrize("is_complex", [False, True])
def test_the_same_as_one_by_one(lib, is_complex):
    a = with_spectrum(np.logspace(-2, 1, 12), is_complex=is_complex)
    starts = random_normal(kind(a), (12, 3), 0)
    together = run(a, starts, 6, lib)
    for column in range(3):
        alone = kl.krylov.lanczos(a, 6, start=starts[:, column])
        np.testing.assert_allclose([float(x[column]) for x in together.alpha], alone.alpha, rtol=1e-9)
        np.testing.assert_allclose([float(x[column]) for x in together.beta], alone.beta, rtol=1e-9)


def test_vectors_stay_orthonormal():
    a = with_spectrum(np.logspace(-6, 3, 60))
    processes = run(a, random_normal(kind(a), (60, 2), 1), 40)
    for u in processes.basis.rows(40):
        np.testing.assert_allclose(u @ u.T, np.eye(40), atol=1e-12)


def test_quadrature_is_exact_for_polynomials():
    """j steps integrate powers up to 2 j - 1."""
    a = with_spectrum(np.linspace(-1, 2, 20))
    x = random_normal(kind(a), (20, 3), 2)
    processes = run(a, x, 3)
    for power in range(6):
        values, done = processes.quadrature(lambda nodes, power=power: nodes**power)
        expected = np.sum(x * (np.linalg.matrix_power(a, power) @ x), axis=0)
        np.testing.assert_allclose(values, expected, rtol=1e-10, atol=1e-10)
        assert not done
    sixth = np.sum(x * (np.linalg.matrix_power(a, 6) @ x), axis=0)
    assert np.all(np.abs(processes.quadrature(lambda nodes: nodes**6)[0] - sixth) > 1e-6)


def test_columns_that_are_used_up_end_on_their_own():
    a = np.diag([1.0, 2.0, 3.0, 4.0])
    starts = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    processes = run(a, starts, 2)
    values, done = processes.quadrature(np.log)
    assert values[0] == pytest.approx(0.0, abs=1e-14)
    assert not done
    processes.extend(2)
    values, done = processes.quadrature(np.log)
    np.testing.assert_allclose(values, [0.0, np.log(24.0)], atol=1e-12)
    assert done


def test_ritz_values_reach_the_function():
    a = with_spectrum(np.linspace(1, 2, 8))
    seen = []
    processes = run(a, np.ones((8, 1)), 4)
    processes.quadrature(lambda nodes: seen.append(nodes) or nodes)
    alpha, beta = (np.array([float(x[0]) for x in numbers]) for numbers in (processes.alpha, processes.beta))
    np.testing.assert_allclose(seen[0], eigh_tridiagonal(alpha, beta[:-1])[0])
