"""The small least-squares problems against a dense solver."""

import numpy as np
import pytest

from kronlin.krylov.hessenberg import Hessenberg

FLOOR = 1e-14


def grown(matrices, beta):
    small = Hessenberg(beta, matrices.shape[2], matrices.dtype.name, FLOOR)
    norms = [small.append(matrices[:, : j + 2, j]) for j in range(matrices.shape[2])]
    return small, np.stack(norms)


def hessenberg(count, size, is_complex, seed=0):
    random = np.random.default_rng(seed)
    h = random.standard_normal((count, size + 1, size))
    if is_complex:
        h = h + 1j * random.standard_normal(h.shape)
    h = np.triu(h, -1)
    for j in range(size):
        h[:, j + 1, j] = np.abs(h[:, j + 1, j])
    return h


@pytest.mark.parametrize("is_complex", [False, True])
def test_least_squares(is_complex):
    h, beta = hessenberg(3, 5, is_complex), np.array([1.0, 2.0, 0.5])
    small, norms = grown(h, beta)
    for counts in ([5, 5, 5], [2, 0, 4]):
        y = small.solve(np.array(counts))
        for i, j in enumerate(counts):
            side = np.zeros(j + 1)
            side[0] = beta[i]
            exact = np.linalg.lstsq(h[i, : j + 1, :j], side)[0] if j else np.zeros(0)
            np.testing.assert_allclose(y[i, :j], exact, atol=1e-12)
            np.testing.assert_array_equal(y[i, j:], 0)
            if j:
                assert abs(norms[j - 1, i] - np.linalg.norm(side - h[i, : j + 1, :j] @ exact)) < 1e-12


def test_a_dependent_column_gets_no_weight():
    h = np.array([[[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 1.0], [0.0, 3.0]]])
    small, norms = grown(h, np.ones(2))
    assert norms[1, 0] == norms[0, 0] == pytest.approx(0.5**0.5)
    assert norms[1, 1] < norms[0, 1]
    y = small.solve(np.array([2, 2]))
    np.testing.assert_allclose(y[0], [0.5, 0.0], atol=1e-15)
    assert abs(y[1, 1]) > 0.01


def test_zero_column_leaves_all_as_it_was():
    small, norms = grown(np.zeros((1, 2, 1)), np.array([3.0]))
    assert norms[0, 0] == 3.0
    np.testing.assert_array_equal(small.solve(np.array([1])), 0)
