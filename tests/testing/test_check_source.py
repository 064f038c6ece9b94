"""check_source passes what is sound, on every library, and catches each planted mistake by the law meant to."""

import re
from dataclasses import replace

import numpy as np
import pytest

import kronlin as kl
from kronlin.sources import numpy_mlp
from kronlin.sources._losses import SquaredError
from kronlin.sources.numpy_mlp import MLP
from kronlin.testing import check_source
from kronlin.testing._check_source import LAWS
from tests.libraries import eager
from tests.networks import problem
from tests.testing.source_laws.faults import FAULTS, SOUND, check

EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.title)


@pytest.mark.parametrize("problem", SOUND, ids=lambda each: f"{each.loss}-{each.net}"[:60])
def test_the_reference_source_obeys_every_law(problem):
    check(numpy_mlp.collect, problem)


@EACH
def test_it_is_caught_by_the_law_that_is_meant_to(fault):
    with fault.plant(), pytest.raises(AssertionError) as caught:
        check(fault.make(numpy_mlp.collect), fault.problem)
    assert re.match(r"the law of (.+?) is broken", str(caught.value)).group(1) == fault.law, str(caught.value)


@EACH
def test_without_it_all_laws_hold(fault):
    check(numpy_mlp.collect, fault.problem)


def test_every_law_catches_one():
    assert {fault.law for fault in FAULTS} == {law.__name__.replace("_", " ") for law in LAWS}
    assert len({fault.title for fault in FAULTS}) == len(FAULTS)


def carried(lib, dtype):
    """The reference source with arrays of a library: (collect, model, parameters), from and to that library."""

    def collect(model, loss, x, y, fisher="type-2", seed=0):
        x = lib.numpy(x).astype(dtype)
        layers, gradient, risk = numpy_mlp.collect(model, loss, x, lib.numpy(y), fisher, seed)
        moved = (kl.LayerStatistics(lib.asarray(a.inputs), lib.asarray(a.output_gradients), a.name) for a in layers)
        return tuple(moved), lib.asarray(gradient), risk

    return collect


@pytest.mark.parametrize("lib", eager(), ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_on_every_library(lib, dtype):
    vector, _, x, y = problem(MLP((2, 2)), "softmax", n=2)
    net = MLP((2, 2), dtype=dtype)
    check_source(
        carried(lib, dtype),
        lambda theta: net.with_parameters(lib.numpy(theta)),
        lib.asarray(vector.parameters, dtype),
        "softmax",
        lib.asarray(x, dtype),
        lib.asarray(y),
        output=lambda model, x: lib.asarray(model(lib.numpy(x))),
    )


class HalfSquare(SquaredError):
    """A loss of one's own."""

    name = "mine"


def test_a_loss_of_kronlin_needs_no_name():
    net, _, x, y = problem(MLP((3, 2, 2)), "mse", n=2)
    check_source(numpy_mlp.collect, net.with_parameters, net.parameters, HalfSquare(), x, y)


def renamed(model, loss, x, y, fisher="type-2", seed=0):
    """A source that has a name of its own for the squared error."""
    assert loss == "square"
    return numpy_mlp.collect(model, "mse", x, y, fisher, seed)


def test_a_loss_that_the_kit_does_not_know():
    """The laws about the outputs are left out, the others are not."""
    net, _, x, y = problem(MLP((3, 2, 2)), "mse", n=2)
    arguments = (renamed, net.with_parameters, net.parameters, "square", x, y)
    check_source(*arguments)
    check_source(*arguments, head="mse")
    with pytest.raises(AssertionError, match="the law of value is broken"):
        check_source(*arguments, head="mse", scale=2.0)


@pytest.mark.parametrize("loss", ["mse", "softmax", "bernoulli"])
def test_a_multiple_of_a_loss(loss):
    net, _, x, y = problem(MLP((3, 2, 2)), loss, n=2)

    def scaled(model, name, x, y, fisher="type-2", seed=0):
        layers, gradient, risk = numpy_mlp.collect(model, loss, x, y, fisher, seed)
        factor = 3 if fisher == "empirical" else 3**0.5
        layers = tuple(replace(a, output_gradients=factor * a.output_gradients) for a in layers)
        return layers, 3 * gradient, 3 * risk

    check_source(scaled, net.with_parameters, net.parameters, "mine", x, y, head=loss, scale=3.0)
    with pytest.raises(AssertionError, match="the law of value is broken"):
        check_source(scaled, net.with_parameters, net.parameters, "mine", x, y, head=loss)


def test_labels_as_rows():
    net, _, x, y = problem(MLP((3, 2, 2)), "softmax", n=2)
    check_source(numpy_mlp.collect, net.with_parameters, net.parameters, "softmax", x, np.eye(2)[y])


def test_an_error_of_the_source_is_a_broken_law():
    def refusing(*arguments, **options):
        raise RuntimeError("not today")

    with pytest.raises(AssertionError, match=r"the law of form is broken: .*\n  RuntimeError: not today"):
        check_source(refusing, lambda theta: None, np.ones(3), "mse", np.ones((2, 2)), np.ones((2, 1)))


def test_what_is_no_array():
    with pytest.raises(TypeError, match="x is a list, where check_source needs an array"):
        check_source(numpy_mlp.collect, lambda theta: None, np.ones(3), "mse", [1.0], np.ones((2, 1)))
