"""The Arnoldi relation, column by column, on every array library."""

import numpy as np
import pytest

from kronlin.krylov.arnoldi import Arnoldi

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.standard_normal((7, 7)) + np.diag([1.0, 1e3, 1.0, 1.0, 1e-3, 1.0, 1.0])
STARTS = RANDOM.standard_normal((7, 2))


def process(A, starts, steps, precondition=None, floor=1e-13):
    arnoldi = Arnoldi(lambda x: A @ x, precondition, starts, np.linalg.norm(starts, axis=0), floor)
    h = np.zeros((starts.shape[1], steps + 1, steps), dtype=A.dtype)
    for j in range(steps):
        h[:, : j + 2, j] = arnoldi.step()
    arnoldi.v.append(arnoldi.next.T[:, None, :])
    return arnoldi, arnoldi.v.rows(steps + 1), h


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("flexible", [False, True])
def test_relation_and_orthogonality(is_complex, flexible):
    A = MATRIX * (1 + 1j) + 1j * MATRIX.T if is_complex else MATRIX
    starts = STARTS.astype(A.dtype)
    calls = []

    def changing(v):
        calls.append(1)
        return v * len(calls) + 0.1 * np.flip(v, axis=0)

    arnoldi, v, h = process(A, starts, 4, changing if flexible else None)
    for i in range(2):
        np.testing.assert_allclose(v[i].conj() @ v[i].T, np.eye(5), atol=1e-13)
        Z = (arnoldi.z if flexible else arnoldi.v).rows(4)[i].T
        np.testing.assert_allclose(A @ Z, v[i].T @ h[i], atol=1e-12 * np.linalg.norm(A))
        np.testing.assert_allclose(v[i][0], starts[:, i] / np.linalg.norm(starts[:, i]))
        assert h[i, 1, 0].imag == 0 < h[i, 1, 0].real
    y = np.arange(8.0).reshape(2, 4).astype(A.dtype)
    combined = arnoldi.combine(y)
    Z = (arnoldi.z if flexible else arnoldi.v).rows(4)
    np.testing.assert_allclose(combined[:, 1], Z[1].T @ y[1], atol=1e-12)


def test_exhausted_columns_go_on_with_zero():
    starts = np.stack([np.eye(7)[0], np.ones(7), np.zeros(7)], axis=1)
    _, v, h = process(np.diag(np.arange(1.0, 8.0)), starts, 3)
    assert (h[0, 1, 0], h[1, 1, 0] > 0, h[2, 1, 0]) == (0, True, 0)
    np.testing.assert_array_equal(v[0, 1:], 0)
    np.testing.assert_array_equal(v[2], 0)
    assert np.isfinite(h).all()


@pytest.mark.parametrize("place", ["A", "M"])
def test_what_is_not_finite_is_seen_and_stays_in_its_column(place):
    def rotten(v):
        return v * np.array([1.0, np.nan])

    product, precondition = (rotten, None) if place == "A" else (lambda x: x, rotten)
    arnoldi = Arnoldi(product, precondition, STARTS, np.linalg.norm(STARTS, axis=0), 1e-13)
    column = arnoldi.step()
    assert np.isfinite(column[0]).all()
    assert not np.isfinite(column[1, -1])
    assert np.isfinite(arnoldi.combine(np.ones((2, 1)))).all()
