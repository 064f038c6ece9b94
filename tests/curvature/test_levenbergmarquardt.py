"""Laws of the damping that follows the ratio of reductions."""

from dataclasses import FrozenInstanceError
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.nets import mlp_layers

CONTROLLERS = st.builds(
    kl.LevenbergMarquardt, st.floats(1e-6, 1e6), decay=st.floats(0.1, 0.99), interval=st.integers(1, 9)
)


@given(CONTROLLERS, st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_definition(damping, ratio, predicted):
    factor = damping.decay**damping.interval
    reached = ratio * predicted / predicted
    wanted = damping.lam * (factor if reached > 0.75 else 1 / factor if reached < 0.25 else 1)
    after = damping.update(ratio * predicted, predicted)
    np.testing.assert_allclose(after.lam, wanted, rtol=1e-14)
    assert (after.decay, after.interval, after.bounds) == (damping.decay, damping.interval, damping.bounds)


@pytest.mark.parametrize(("ratio", "direction"), [(0.75, 0), (0.25, 0), (0.7501, -1), (0.2499, 1)])
def test_thresholds(ratio, direction):
    assert np.sign(kl.LevenbergMarquardt(1.0).update(ratio, 1.0).lam - 1) == direction


@pytest.mark.parametrize(
    ("actual", "predicted"), [(nan, 1.0), (1.0, nan), (inf, 1.0), (-inf, 1.0), (1.0, inf), (0.0, 0.0), (-1.0, -1.0)]
)
def test_what_says_nothing_raises_the_damping(actual, predicted):
    assert kl.LevenbergMarquardt(1.0, 0.5, 1).update(actual, predicted).lam == 2.0


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, nan]), max_size=40))
def test_stays_within_its_bounds(ratios):
    damping = kl.LevenbergMarquardt(1.0, 0.5, 3, bounds=(1e-2, 1e2))
    for ratio in ratios:
        damping = damping.update(ratio, 1.0)
        assert 1e-2 <= damping.lam <= 1e2


def test_reaches_both_bounds():
    low = high = kl.LevenbergMarquardt(1.0, 0.5, 3, bounds=(0.1, 10.0))
    for _ in range(3):
        low, high = low.update(1.0, 1.0), high.update(0.0, 1.0)
    assert (low.lam, high.lam) == (0.1, 10.0)


def test_without_bounds_it_stays_a_positive_finite_number():
    low = high = kl.LevenbergMarquardt(1.0, 0.1, 100)
    for _ in range(10):
        low, high = low.update(1.0, 1.0), high.update(0.0, 1.0)
    assert 0 < low.lam < 1e-200
    assert 1e200 < high.lam < inf


def test_is_a_value():
    damping = kl.LevenbergMarquardt(1.0)
    assert damping.update(0.5, 1.0) == damping == kl.LevenbergMarquardt(1.0, 19 / 20, 5)
    assert damping.update(1.0, 1.0).lam == (19 / 20) ** 5
    with pytest.raises(FrozenInstanceError):
        damping.lam = 2.0


def test_due():
    assert [step for step in range(1, 16) if kl.LevenbergMarquardt(1.0).due(step)] == [5, 10, 15]


def test_reads_scalars_of_every_library(lib):
    damping = kl.LevenbergMarquardt(1.0, 0.5, 1)
    actual, predicted = (lib.asarray(np.asarray(x), "float32") for x in (0.9, 1.0))
    assert damping.update(actual, predicted).lam == 0.5
    assert damping.update(actual, lib.asarray(np.asarray(nan))).lam == 2.0


def test_on_a_quadratic_loss_the_damping_falls():
    """The bare model is exact there, ρ = 1; a model with twice the curvature foretells too little, and is no worse."""
    layers, gradient = mlp_layers()
    F = kl.fisher(layers)
    damping = kl.LevenbergMarquardt(1.0)
    d = -F.damped(damping.lam).solve(gradient)
    actual = -(gradient @ d + d @ (F @ d) / 2)
    assert damping.update(actual, -kl.quadratic_model(F, 0, gradient, d)).lam < 1
    np.testing.assert_allclose(kl.reduction_ratio(actual, -kl.quadratic_model(F, 0, gradient, d)), 1, rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"lam": 0.0}, "lam must be positive, finite and between the bounds"),
        ({"lam": nan}, "lam must be positive"),
        ({"lam": inf}, "lam must be positive"),
        ({"lam": 1.0, "bounds": (2.0, 3.0)}, r"between the bounds \(2\.0, 3\.0\), not 1\.0"),
        ({"lam": 1.0, "bounds": (-1.0, 3.0)}, "between the bounds"),
        ({"lam": 1.0, "decay": 1.0}, r"decay must be between 0 and 1, not 1\.0"),
        ({"lam": 1.0, "decay": nan}, "decay must be between 0 and 1"),
        ({"lam": 1.0, "decay": 1e-9, "interval": 99}, r"decay \*\* 99 above 0"),
        ({"lam": 1.0, "interval": 0}, "interval must be a whole number of steps from 1 on, not 0"),
        ({"lam": 1.0, "interval": 2.0}, "interval must be a whole number"),
    ],
)
def test_arguments_are_checked(options, match):
    with pytest.raises(ValueError, match=match):
        kl.LevenbergMarquardt(**options)
