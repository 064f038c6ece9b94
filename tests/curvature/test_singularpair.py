"""The leading singular pair against the singular value decomposition of the array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.curvature import singularpair
from kronlin.curvature.singularpair import hermitian, leading_pair, skew
from tests.algebra.bare import Bare
from tests.matrices import each_dtype, eps, normal, wide


def same(x):
    """No symmetry."""
    return x


def check(pair, dense, tolerance):
    """It is a singular pair, and the largest."""
    u, v = pair.u, pair.v
    sigma = np.linalg.norm(dense, 2)
    np.testing.assert_allclose(pair.sigma, sigma, rtol=tolerance)
    np.testing.assert_allclose([np.linalg.norm(u), np.linalg.norm(v)], 1, atol=tolerance)
    np.testing.assert_allclose(dense @ v, sigma * u, rtol=0, atol=tolerance * sigma)
    np.testing.assert_allclose(dense.conj().T @ u, sigma * v, rtol=0, atol=tolerance * sigma)


@each_dtype()
@pytest.mark.parametrize("wrap", [kl.Dense, lambda a: kl.KhatriRao(a[:1, :], a)], ids=["array", "products"])
def test_every_library(lib, dtype, wrap):
    a = normal((4, 9), dtype)
    R = wrap(lib.asarray(a))
    pair = leading_pair(R, lib.asarray(normal((9,), dtype, 1)), same)
    assert lib.owns(pair.u)
    assert lib.owns(pair.v)
    assert pair.u.dtype == R.dtype
    dense = wide(lib.numpy(R.to_dense()))
    check(pair._replace(u=wide(lib.numpy(pair.u)), v=wide(lib.numpy(pair.v))), dense, 1e3 * eps(dtype))


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from(["float64", "complex128"]), st.integers(0, 99))
def test_both_ways_agree(m, n, dtype, seed):
    a, start = normal((m, n), dtype, seed), normal((n,), dtype, seed + 1)
    values = np.linalg.svd(a, compute_uv=False)
    if len(values) > 1 and values[1] > 0.999 * values[0]:
        return
    for R in (kl.Dense(a), Bare(a)):
        check(leading_pair(R, start, same), a, 1e-9)


def symmetric_map(d, seed, sigma_skew):
    """Takes symmetric matrices to such ones and skew ones to such ones, with given size of the skew part."""
    swap = np.eye(d * d).reshape(d, d, d, d).swapaxes(0, 1).reshape(d * d, d * d)
    parts = [(np.eye(d * d) + sign * swap) / 2 for sign in (1, -1)]
    a = normal((d * d, d * d), seed=seed)
    images = [part @ a @ part for part in parts]
    images = [x / np.linalg.norm(x, 2) for x in images]
    return images[0] + sigma_skew * images[1]


@pytest.mark.parametrize("wrap", [kl.Dense, Bare])
@pytest.mark.parametrize("larger", [0.5, 1.0, 2.0])
def test_symmetry(wrap, larger):
    """Each symmetry finds its own leading pair, below or above that of the other, or equal to it."""
    a = symmetric_map(3, 0, larger)
    for symmetry, sign, sigma in ((hermitian, 1, 1.0), (skew, -1, larger)):
        pair = leading_pair(wrap(a), symmetry(normal((9,), seed=2)), symmetry)
        assert pair.sigma == pytest.approx(sigma, rel=1e-11)
        for x in (pair.u, pair.v):
            np.testing.assert_allclose(x.reshape(3, 3), sign * x.reshape(3, 3).T, atol=1e-10)


@pytest.mark.parametrize("wrap", [kl.Dense, Bare])
def test_the_vector_nearest_to_the_start_of_a_multiple_value(wrap):
    start = np.array([3.0, 4.0, 1.0])
    pair = leading_pair(wrap(np.diag([2.0, 2.0, 1.0])), start, same)
    np.testing.assert_allclose(pair.v, [0.6, 0.8, 0], atol=1e-10)
    np.testing.assert_allclose(pair.u, [0.6, 0.8, 0], atol=1e-10)


@pytest.mark.parametrize("wrap", [kl.Dense, Bare])
def test_zero_and_what_counts_as_zero(wrap):
    for R, start, floor in (
        (np.zeros((2, 4)), np.ones(4), 0.0),
        (np.ones((2, 4)), np.zeros(4), 0.0),
        (1e-3 * np.ones((2, 4)), np.ones(4), 1e-2),
    ):
        pair = leading_pair(wrap(R), start, same, floor)
        assert pair.sigma == 0
        assert not pair.u.any()
        assert np.isfinite(pair.v).all()


def test_a_start_that_hardly_meets_the_leading_vector_is_no_zero():
    """‖R v₁‖ is below the floor, σ is not."""
    a = np.zeros((4, 9))
    a[0, 0] = 1.0
    start = np.ones(9)
    assert np.linalg.norm(a @ start) / 3 < 0.5
    for wrap in (kl.Dense, Bare):
        assert leading_pair(wrap(a), start, same, floor=0.5).sigma == pytest.approx(1.0)


def test_it_starts_again_where_the_steps_do_not_suffice(monkeypatch):
    a = np.diag(np.linspace(1.0, 0.5, 30))
    monkeypatch.setattr(singularpair, "STEPS", 5)
    pair = leading_pair(Bare(a), np.ones(30), same)
    assert pair.sigma == pytest.approx(1.0, rel=1e-3)
    monkeypatch.setattr(singularpair, "RESTARTS", 1)
    assert leading_pair(Bare(a), np.ones(30), same).sigma < pair.sigma


def test_symmetric_parts():
    x = normal((2, 9), "complex128")
    np.testing.assert_allclose(hermitian(x) + skew(x), x, rtol=1e-15)
    for part, sign in ((hermitian, 1), (skew, -1)):
        matrices = part(x).reshape(2, 3, 3)
        np.testing.assert_array_equal(matrices, sign * matrices.swapaxes(1, 2).conj())
