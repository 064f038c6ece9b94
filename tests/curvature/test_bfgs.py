"""Laws of the BFGS update of an inverse, and of the damping of its pairs."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kronlin.curvature import InverseUpdate, double_damping, inverse_bfgs, powell_damping
from tests.matrices import REAL, each_dtype, eps, normal, positive, wide
from tests.nets import close

SEED, SIZE = st.integers(0, 9999), st.integers(1, 5)


def pair(d, seed, curvature=None):
    """H positive definite, s and y; with the sign of sᵀ y that is asked for."""
    s, y = normal((2, d), seed=seed)
    if curvature is not None and s @ y * curvature < 0:
        y = -y
    return positive(d, seed=seed + 1), s, y


def direct_bfgs(B, s, y):
    """The update of B itself, by its definition."""
    return B - np.outer(B @ s, B @ s) / (s @ B @ s) + np.outer(y, y) / (s @ y)


@each_dtype(REAL)
def test_every_library(lib, dtype):
    H, s, y = positive(3, dtype), normal((3,), dtype, 1), normal((3,), dtype, 2)
    arrays = [lib.asarray(x) for x in (H, s, y)]
    damped = double_damping(*arrays, lam=0.3)
    found = inverse_bfgs(arrays[0], *damped)
    assert type(found) is InverseUpdate
    assert found.skipped is False
    wanted = double_damping(*map(wide, (H, s, y)), lam=0.3)
    for ours, due in zip((*damped, found.H), (*wanted, inverse_bfgs(wide(H), *wanted).H), strict=True):
        assert lib.owns(ours)
        assert ours.dtype == arrays[0].dtype
        close(lib.numpy(ours), due, 100 * eps(dtype))


# The update


@given(SIZE, SEED)
def test_definition(d, seed):
    H, s, y = pair(d, seed, 1)
    assume(s @ y > 1e-2 * np.linalg.norm(s) * np.linalg.norm(y))
    found, skipped = inverse_bfgs(H, s, y)
    rho, eye = 1 / (s @ y), np.eye(d)
    left = eye - rho * np.outer(s, y)
    close(found, left @ H @ left.T + rho * np.outer(s, s), 1e-10)
    assert not skipped
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found @ y, s, atol=1e-10 * np.linalg.norm(found) * np.linalg.norm(y))
    assert np.linalg.eigvalsh(found)[0] > 0
    close(np.linalg.inv(found), direct_bfgs(np.linalg.inv(H), s, y), 1e-8)


@given(SIZE, SEED)
def test_is_skipped_without_curvature(d, seed):
    """H₊ of a pair with sᵀ y < 0 would be indefinite, so it is not made."""
    H, s, y = pair(d, seed, -1)
    left = np.eye(d) - np.outer(s, y) / (s @ y)
    assert np.linalg.eigvalsh(left @ H @ left.T + np.outer(s, s) / (s @ y))[0] < 0
    found, skipped = inverse_bfgs(H, s, y)
    assert skipped is True
    assert found is H


@pytest.mark.parametrize("dtype", REAL)
def test_is_skipped_at_rounding(dtype):
    """A right angle in exact arithmetic, a step of zero, one of which sᵀ y underflows, and what is no number."""
    H, s = np.eye(3, dtype=dtype), np.asarray([1, 1, 0], dtype)
    tiny = np.finfo(dtype).tiny ** 0.5
    for x, y in (
        (s, np.asarray([1, -1 + eps(dtype), 1], dtype)),
        (0 * s, s),
        (s, 0 * s),
        (np.asarray(tiny * s, dtype), np.asarray(tiny * s, dtype)),
        (s, np.nan * s),
    ):
        assert inverse_bfgs(H, x, y).skipped
    assert not inverse_bfgs(H, s, np.asarray([1, -1 + 1e-3, 1], dtype)).skipped


@given(SIZE, SEED, st.sampled_from([1e-60, 1e-3, 1e60]))
def test_a_common_factor_does_not_matter(d, seed, c):
    H, s, y = pair(d, seed, 1)
    assume(s @ y > 1e-2 * np.linalg.norm(s) * np.linalg.norm(y))
    np.testing.assert_allclose(inverse_bfgs(H, c * s, c * y).H, inverse_bfgs(H, s, y).H, rtol=1e-12, atol=1e-12)


def seen_from(B, H):
    """B^½ H B^½."""
    w, Q = np.linalg.eigh(B)
    root = Q * w**0.5 @ Q.T
    return root @ H @ root, root


@given(SIZE, SEED)
def test_nothing_moves_away_from_the_inverse(d, seed):
    """y = B s: Ĥ₊ - I = (I - P)(Ĥ - I)(I - P)."""
    B, H, s = positive(d, seed=seed), positive(d, seed=seed + 1), normal((d,), seed=seed)
    (before, root), (after, _) = seen_from(B, H), seen_from(B, inverse_bfgs(H, s, B @ s).H)
    v = root @ s
    rest = np.eye(d) - np.outer(v, v) / (v @ v)
    np.testing.assert_allclose(after - np.eye(d), rest @ (before - np.eye(d)) @ rest, atol=1e-11)
    np.testing.assert_array_less(np.linalg.norm(after - np.eye(d)), np.linalg.norm(before - np.eye(d)) + 1e-11)


@given(SIZE, SEED)
def test_conjugate_steps_end_at_the_inverse(d, seed):
    B, H = positive(d, seed=seed), positive(d, seed=seed + 1)
    for s in np.linalg.eigh(B)[1].T:
        H, skipped = inverse_bfgs(H, s, B @ s)
        assert not skipped
    close(H, np.linalg.inv(B), 1e-11)


@given(st.integers(1, 4), SEED)
def test_any_steps_lead_to_the_inverse(d, seed):
    """s = H r with any r, as K-BFGS takes it with the mean input."""
    B, H, rng = positive(d, seed=seed), np.eye(d), np.random.default_rng(seed)
    for r in rng.standard_normal((40 * d, d)):
        s = H @ r
        H = inverse_bfgs(H, s, B @ s).H
    close(H, np.linalg.inv(B), 1e-5)


# The damping


@given(SIZE, SEED, st.floats(0.01, 0.99))
def test_powell(d, seed, mu):
    H, s, y = pair(d, seed)
    s_damped = powell_damping(H, s, y, mu)
    model = y @ H @ y
    if s @ y < mu * model:
        np.testing.assert_allclose(s_damped @ y, mu * model, rtol=1e-10)
        theta = (1 - mu) * model / (model - s @ y)
        close(s_damped, theta * s + (1 - theta) * H @ y, 1e-12)
    else:
        np.testing.assert_array_equal(s_damped, s)
    found, skipped = inverse_bfgs(H, s_damped, y)
    assert not skipped
    growth = np.linalg.norm(np.linalg.inv(found), 2) * np.linalg.eigvalsh(H)[0]
    assert growth <= (1 + 1 / mu) * (1 + 1e-8)


@given(SIZE, SEED, st.floats(0.05, 0.95), st.floats(1e-3, 1e3))
def test_double_damping_bounds_both_sides(d, seed, mu, lam):
    H, s, y = pair(d, seed)
    s_damped, y_damped = double_damping(H, s, y, lam, mu)
    np.testing.assert_array_equal(s_damped, powell_damping(H, s, y, mu))
    np.testing.assert_array_equal(y_damped, y + lam * s_damped)
    assert s_damped @ y_damped >= lam * s_damped @ s_damped
    found, skipped = inverse_bfgs(H, s_damped, y_damped)
    assert not skipped
    w = np.linalg.eigvalsh(found)
    assert w[0] > 0
    assert w[-1] <= ((2 * np.linalg.norm(H, 2) ** 0.5 + (lam * mu) ** -0.5) ** 2 + 1 / lam) * (1 + 1e-9)


def test_nothing_moves():
    """Without a change of the gradient λ is all the curvature, and without both there is no pair."""
    H, s, zero = np.eye(2), np.asarray([0.0, 2.0]), np.zeros(2)
    close(inverse_bfgs(H, *double_damping(H, s, zero, 4.0)).H, np.diag([1.0, 0.25]))
    assert inverse_bfgs(H, *double_damping(H, zero, zero, 4.0)).skipped
    found = inverse_bfgs(H, *double_damping(H, zero, s, 4.0, 0.2))  # s̃ = μ H y
    close(found.H, np.diag([1.0, 1 / (5 + 4)]))


@pytest.mark.parametrize(
    ("shapes", "match"),
    [
        (((2, 2), (2,), (3,)), r"takes H \(d, d\), s \(d,\) and y \(d,\), not \(2, 2\), \(2,\), \(3,\)"),
        (((2, 3), (2,), (2,)), r"not \(2, 3\)"),
        (((2,), (2,), (2,)), r"not \(2,\)"),
    ],
)
def test_shapes_are_checked(shapes, match):
    arrays = [np.ones(shape) for shape in shapes]
    for function in (inverse_bfgs, powell_damping):
        with pytest.raises(ValueError, match=match):
            function(*arrays)


def test_kinds_and_numbers_are_checked():
    H, s = np.eye(2), np.ones(2)
    with pytest.raises(ValueError, match="H is numpy float64, s numpy float32"):
        inverse_bfgs(H, s.astype("float32"), s)
    with pytest.raises(ValueError, match="H is numpy complex128: the BFGS update is for real arrays"):
        powell_damping(H + 0j, s + 0j, s + 0j)
    for mu in (0, 1, np.nan):
        with pytest.raises(ValueError, match=f"mu = {mu}: Powell's damping takes a number between 0 and 1"):
            powell_damping(H, s, s, mu)
    for lam in (0, -1, np.nan):
        with pytest.raises(ValueError, match=f"lam = {lam}: the damping must be positive"):
            double_damping(H, s, s, lam)
