"""Laws of the preconditioner: it is what one would compose by hand, it goes on from its state, and failures change nothing."""

import gc
from weakref import ref

import numpy as np
import pytest

import kronlin as kl
from kronlin.sources.numpy_mlp import collect
from tests.libraries import JAX, NUMPY, eager
from tests.matrices import each_dtype
from tests.nets import close, random_layers, tiny_layers
from tests.preconditioner.runs import NET, NICOLAIDES, OPTIONS, X, Y, train

EACH = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def layers(seed, lib=NUMPY, dtype="float64"):
    return random_layers(np.random.default_rng(seed), 4, 2, [(2, 3), (3, 2)], 2, lib, dtype)


GRADIENT = np.random.default_rng(9).normal(size=12)


def test_is_what_one_composes_by_hand():
    """As in the loop on the page of training steps."""
    preconditioner = kl.Preconditioner(
        kl.kfac, kl.LevenbergMarquardt(1.0, interval=2), damp=kl.factored_damping, rescale=True, momentum=True
    )
    average, damping, previous = kl.RunningAverage(), kl.LevenbergMarquardt(1.0, interval=2), None
    for step in range(1, 7):
        found, gradient = layers(step), GRADIENT / step
        average = average.update(kl.kfac(found))
        direction = -(kl.factored_damping(average.value, damping.lam).inverse() @ gradient)
        best = kl.rescale_step(kl.fisher(found).damped(damping.lam), 0, gradient, direction, previous)
        previous = best.step
        assert preconditioner.update(found) == ("factors", "inverses")
        np.testing.assert_array_equal(preconditioner.apply(gradient), -best.step)
        assert preconditioner.awaits_loss == damping.due(step)
        if preconditioner.awaits_loss:
            reduction = 0.9 if step == 2 else -1.0
            predicted = -kl.quadratic_model(kl.fisher(found), damping.lam, gradient, best.step)
            np.testing.assert_allclose(predicted, best.predicted_reduction)
            damping = damping.update(reduction * predicted, predicted)
            preconditioner.observe(reduction * predicted, 0.0)
            assert preconditioner.damping == damping


def test_two_levels_by_hand():
    preconditioner = kl.Preconditioner(kl.kfac, 0.1, inverses_every=3, coarse_every=2, kl_clip=1e-2, **NICOLAIDES)
    average = kl.RunningAverage()
    for step in range(1, 6):
        average = average.update(kl.kfac(layers(step)))
        if step in (1, 4):
            blocks, Z = average.value, kl.coarse.nicolaides(average.value)
        if step in (1, 3, 4):
            F = kl.fisher(layers(step))
        B = kl.two_level(F.damped(0.1), blocks.damped(0.1).inverse(), Z, "BNN")
        preconditioner.update(layers(step))
        np.testing.assert_array_equal(preconditioner.operator.to_dense(), B.to_dense())
        v = B @ GRADIENT
        np.testing.assert_array_equal(preconditioner.apply(GRADIENT, lr=0.3), kl.kl_clip(v, GRADIENT, 0.3, 1e-2) * v)
    assert preconditioner.ages == {"factors": 0, "inverses": 1, "basis": 1, "coarse": 1}


@EACH
def test_goes_on_from_its_state(options, tmp_path):
    """To the last bit, from any step on."""
    for cut in (1, 4):
        one = kl.Preconditioner(**options)
        net, _, _ = train(one, steps=cut)
        np.savez(tmp_path / "state.npz", **one.state_dict())
        other = kl.Preconditioner(**options)
        with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
            other.load_state_dict(state)
        assert (other.ages, other.damping, other.step) == (one.ages, one.damping, one.step)
        runs = [train(each, net, steps=5, start=cut)[1] for each in (one, other)]
        for found, wanted in zip(*runs, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ["two clocks", "Levenberg"])
@pytest.mark.parametrize("lib", eager(), ids=str)
def test_a_state_goes_to_another_library(lib, name):
    one, other = (kl.Preconditioner(**OPTIONS[name]) for _ in range(2))
    for seed in range(3):
        one.update(layers(seed, dtype="float32"))
        one.apply(NUMPY.asarray(GRADIENT, "float32"))
    gradient = lib.asarray(GRADIENT, "float32")
    other.load_state_dict(one.state_dict(), to=gradient)
    one.update(layers(3, dtype="float32"))
    other.update(layers(3, lib, "float32"))
    v = other.apply(gradient)
    assert lib.owns(v)
    assert v.dtype == gradient.dtype
    np.testing.assert_allclose(lib.numpy(v), one.apply(NUMPY.asarray(GRADIENT, "float32")), rtol=1e-3, atol=1e-4)


@each_dtype(("float32", "float64"))
@pytest.mark.parametrize("name", ["kfac", "Levenberg, two levels"])
def test_every_library(lib, dtype, name):
    if lib is JAX and name != "kfac":
        pytest.skip("compiles for long")
    found, wanted = kl.Preconditioner(**OPTIONS[name]), kl.Preconditioner(**OPTIONS[name])
    for _ in range(2):
        found.update(tiny_layers(lib, dtype))
        wanted.update(tiny_layers(NUMPY))
        v, w = found.apply(lib.asarray(GRADIENT, dtype)), wanted.apply(GRADIENT)
    assert lib.owns(v)
    assert v.dtype == lib.asarray(GRADIENT, dtype).dtype
    close(lib.numpy(v), w, 1e-10 if dtype == "float64" else 1e-3)


def test_layers_are_asked_for_when_they_are_needed():
    preconditioner, asked = kl.Preconditioner(kl.kfac, 0.1, factors_every=3), []

    def statistics():
        asked.append(preconditioner.step)
        return layers(0)

    for _ in range(7):
        assert preconditioner.needs_layers == bool(preconditioner.due)
        preconditioner.update(statistics)
    assert asked == [1, 4, 7]


@pytest.mark.parametrize("options", [{"rescale": True}, {"damping": kl.LevenbergMarquardt(1.0, interval=2)}])
def test_layers_are_needed_for_lengths(options):
    preconditioner = kl.Preconditioner(**{"estimator": kl.kfac, "damping": 0.1, "factors_every": 10} | options)
    needed = []
    for _ in range(4):
        needed.append(preconditioner.needs_layers)
        preconditioner.update(lambda: layers(0))
        preconditioner.apply(GRADIENT)
    assert needed == ([True] * 4 if options.get("rescale") else [True, True, False, True])
    assert preconditioner.failures == ()


def test_layers_are_let_go():
    preconditioner, found = kl.Preconditioner(kl.kfac, 0.1), layers(0)
    kept = ref(found[0].inputs)
    preconditioner.update(found)
    preconditioner.apply(GRADIENT)
    del found
    gc.collect()
    assert kept() is None


def test_a_damping_that_is_set_goes_into_all_pieces():
    preconditioner = kl.Preconditioner(kl.kfac, 0.1, inverses_every=10, **NICOLAIDES)
    preconditioner.update(layers(0))
    preconditioner.damping = 0.5
    assert preconditioner.update(layers(1)) == ("factors",)
    K, F = kl.kfac(layers(0)), kl.fisher(layers(0))
    B = kl.two_level(F.damped(0.5), K.damped(0.5).inverse(), kl.coarse.nicolaides(K), "BNN")
    np.testing.assert_array_equal(preconditioner.operator.to_dense(), B.to_dense())
    assert preconditioner.ages["inverses"] == 1


def test_a_state_of_other_options_is_not_taken_over():
    preconditioner = kl.Preconditioner(kl.kfac, 0.1, **NICOLAIDES)
    preconditioner.update(layers(0))
    before = preconditioner.apply(GRADIENT)
    other = kl.Preconditioner(kl.kfac, 0.3)
    other.update(layers(1))
    with pytest.raises(ValueError, match="the scheme and the basis that it had"):
        preconditioner.load_state_dict(other.state_dict())
    assert (preconditioner.damping, preconditioner.step) == (0.1, 1)
    np.testing.assert_array_equal(preconditioner.apply(GRADIENT), before)


def test_options_go_together():
    for options, match in [
        ({"estimator": kl.ekfac, "damping": 0.1}, "basis=kronlin.kfac"),
        ({"estimator": kl.kfac, "damping": 0.0}, "damping must be positive"),
        ({"estimator": kl.kfac, "damping": 0.1, "scheme": "BNN"}, "two levels take both"),
        ({"estimator": kl.kfac, "damping": 0.1, "decay": 2}, "alpha must be"),
        ({"estimator": kl.kfac, "damping": 0.1, "factors_every": 0}, "factors must be a whole number"),
        ({"estimator": kl.kfac, "damping": 0.1, "on_failure": "x"}, "on_failure must be"),
        ({"estimator": kl.kfac, "damping": 0.1, "momentum": True}, "rescale=True"),
    ]:
        with pytest.raises(ValueError, match=match):
            kl.Preconditioner(**options)


@pytest.mark.parametrize("name", ["kfac", "ekfac", "two clocks", "Levenberg"])
def test_lowers_the_loss_more_than_gradient_descent(name):
    """Twenty steps each on all examples, descent with the best of several learning rates."""
    damping, lr = (kl.LevenbergMarquardt(0.1, interval=1), 1.0) if name == "Levenberg" else (0.03, 0.5)
    preconditioner = kl.Preconditioner(**OPTIONS[name] | {"damping": damping})
    _, _, loss = train(preconditioner, steps=20, lr=lr, batches=1)
    assert preconditioner.failures == ()
    assert loss < 0.9 * min(descend(each) for each in (0.1, 0.3, 1.0, 3.0, 5.0))


def descend(lr):
    net = NET
    for _ in range(20):
        net = net.with_parameters(net.parameters - lr * collect(net, "softmax", X, Y)[1])
    return collect(net, "softmax", X, Y)[2]
