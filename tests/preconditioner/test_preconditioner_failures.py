"""A failure changes nothing, is told of, and stops a run only where there is nothing to go on with."""

import numpy as np
import pytest

import kronlin as kl
from tests.nets import random_layers
from tests.preconditioner.test_preconditioner import GRADIENT, layers


def overflowing():
    """Finite statistics whose second moments are not."""
    return [kl.LayerStatistics(1e200 * layer.inputs, layer.output_gradients) for layer in layers(0)]


def refuses():
    raise ValueError("the network overflows")


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(
    ("bad", "doing"),
    [(refuses, "statistics"), (lambda: overflowing(), "factors, inverses")],
)
def test_bad_statistics_keep_the_last_good_state(bad, doing):
    preconditioner, healthy = (kl.Preconditioner(kl.kfac, 0.1) for _ in range(2))
    for each in (preconditioner, healthy):
        each.update(layers(0))
    before = preconditioner.apply(GRADIENT)
    with pytest.warns(RuntimeWarning, match=f"step 2, {doing}: .*the last good state is used on"):
        assert preconditioner.update(bad) == ()
    assert preconditioner.ages == {"factors": 1, "inverses": 1}
    assert [(failure.step, failure.doing) for failure in preconditioner.failures] == [(2, doing)]
    assert f"step 2, {doing}" in preconditioner.report
    np.testing.assert_array_equal(preconditioner.apply(GRADIENT), before)
    for each in (preconditioner, healthy):
        each.update(layers(1))
    np.testing.assert_array_equal(preconditioner.apply(GRADIENT), healthy.apply(GRADIENT))
    assert "1 failure)" in repr(preconditioner)


def test_a_factorisation_that_fails_is_due_again():
    """And takes none of the factors with it."""
    spoiled = kl.BlockDiagonal([np.zeros((6, 6)), np.zeros((6, 6))])
    estimates = iter([kl.BlockDiagonal([np.eye(6), np.eye(6)]), spoiled, kl.BlockDiagonal([3 * np.eye(6)] * 2)])
    preconditioner = kl.Preconditioner(
        lambda found: next(estimates), 0.1, damp=lambda F, lam: F, decay=0, factors_every=1, inverses_every=1
    )
    preconditioner.update(layers(0))
    with pytest.warns(RuntimeWarning, match="step 2, factors, inverses: .*the last good state is used on"):
        preconditioner.update(layers(0))
    assert preconditioner.ages == {"factors": 1, "inverses": 1}
    np.testing.assert_array_equal(preconditioner.apply(GRADIENT), GRADIENT)
    assert preconditioner.due == ("factors", "inverses")
    preconditioner.update(layers(0))
    np.testing.assert_allclose(preconditioner.apply(GRADIENT), GRADIENT / 3)


def test_without_a_good_state_it_is_raised():
    preconditioner = kl.Preconditioner(kl.kfac, 0.1)
    with pytest.raises(ValueError, match="the network overflows"):
        preconditioner.update(refuses)
    with pytest.raises(ValueError, match=r"no curvature yet: call update\(layers\)"):
        preconditioner.apply(GRADIENT)
    assert preconditioner.update(layers(0)) == ("factors", "inverses")


def test_is_raised_where_that_is_asked_for():
    preconditioner = kl.Preconditioner(kl.kfac, 0.1, on_failure="raise")
    preconditioner.update(layers(0))
    before = preconditioner.apply(GRADIENT)
    with pytest.raises(ValueError, match="the network overflows"):
        preconditioner.update(refuses)
    np.testing.assert_array_equal(preconditioner.apply(GRADIENT), before)
    with pytest.raises(ValueError, match="NaN or infinite"):
        preconditioner.apply(GRADIENT * np.nan)


def test_a_step_that_is_not_finite_is_left_out():
    preconditioner = kl.Preconditioner(kl.kfac, kl.LevenbergMarquardt(1.0, interval=1), rescale=True, momentum=True)
    preconditioner.update(layers(0))
    with pytest.warns(RuntimeWarning, match="step 1, step: .*the step is left out"):
        v = preconditioner.apply(GRADIENT * np.nan)
    np.testing.assert_array_equal(v, np.zeros(12))
    assert not preconditioner.awaits_loss
    with pytest.raises(ValueError, match="no loss is awaited"):
        preconditioner.observe(1.0, 0.5)
    preconditioner.update(layers(1))
    assert np.all(np.isfinite(preconditioner.apply(GRADIENT)))


def test_a_length_needs_the_statistics_of_its_step():
    preconditioner = kl.Preconditioner(kl.kfac, 0.1, rescale=True)
    preconditioner.update(layers(0))
    with pytest.warns(RuntimeWarning, match="statistics"):
        preconditioner.update(refuses)
    with pytest.warns(RuntimeWarning, match="the statistics of this step are missing"):
        np.testing.assert_array_equal(preconditioner.apply(GRADIENT), np.zeros(12))


def test_without_statistics_the_damping_stays():
    """And the step, whose length does not follow from them, is taken."""
    preconditioner = kl.Preconditioner(kl.kfac, kl.LevenbergMarquardt(1.0, interval=2))
    preconditioner.update(layers(0))
    v = preconditioner.apply(GRADIENT)
    with pytest.warns(RuntimeWarning, match="statistics"):
        preconditioner.update(refuses)
    np.testing.assert_array_equal(preconditioner.apply(GRADIENT), v)
    assert not preconditioner.awaits_loss


def test_a_loss_that_is_not_finite_raises_the_damping():
    preconditioner = kl.Preconditioner(kl.kfac, kl.LevenbergMarquardt(1.0, interval=1))
    preconditioner.update(layers(0))
    preconditioner.apply(GRADIENT)
    preconditioner.observe(1.0, float("nan"))
    assert preconditioner.damping.lam > 1.0


@pytest.mark.parametrize(
    ("other", "match"),
    [
        (lambda: random_layers(np.random.default_rng(0), 4, 2, [(2, 2)]), "4 parameters .* before has|has 12"),
        (lambda: layers(0, dtype="float32"), "numpy float32, and the curvature so far has 12 and is numpy float64"),
        (list, "layers is empty"),
    ],
)
def test_another_net_is_an_error_of_the_call(other, match):
    preconditioner = kl.Preconditioner(kl.kfac, 0.1)
    preconditioner.update(layers(0))
    with pytest.raises(ValueError, match=match):
        preconditioner.update(other())
    assert preconditioner.failures == ()
