"""What is kept from call to call is used only where it is true, and keeps the promises of each call."""

import numpy as np
import pytest

from kronlin.curvature import fisher
from kronlin.sources import jax as source
from kronlin.sources.jax._compiled import compiled
from kronlin.sources.jax._losses import LOSSES, SquaredError
from tests.sources.jax.nets import jnp

PARAMETERS = {"W": jnp.ones((3, 2))}
X, Y = jnp.ones((4, 3)), jnp.zeros((4, 2))


def linear(parameters, x):
    return x @ parameters["W"]


def test_it_is_kept_for_the_same_function_options_and_shapes():
    given = linear, LOSSES["mse"], ("type-2", 1, "error"), PARAMETERS, X, Y
    program = compiled(*given)
    assert program.names == ["W"]
    assert program.outputs.shape == (4, 2)
    assert compiled(*given[:3], {"W": 2 * PARAMETERS["W"]}, X + 1, Y + 1) is program
    others = {
        0: lambda parameters, x: 2 * linear(parameters, x),
        1: LOSSES["bernoulli"],
        2: ("empirical", 1, "error"),
        3: {"W": PARAMETERS["W"].astype("float32")},
        4: X.astype("float32"),
    }
    for place, other in others.items():
        assert compiled(*given[:place], other, *given[place + 1 :]) is not program


def test_examples_are_checked_until_they_have_passed():
    runs = []

    def model(parameters, x):
        runs.append(len(x))
        return linear(parameters, x) + parameters["b"] * x.mean()

    def collect(b, **options):
        return source.collect(
            (model, PARAMETERS | {"b": jnp.full(2, b)}), "mse", X + jnp.arange(4.0)[:, None], Y, **options
        )

    for _ in range(2):
        with pytest.raises(ValueError, match="between all examples at once and one by one"):
            collect(1.0)
    collect(1.0, check=False)
    with pytest.raises(ValueError, match="between all examples at once and one by one"):
        collect(1.0)
    collect(0.0)
    traced = len(runs)
    collect(0.0)
    assert len(runs) == traced


def test_a_sum_that_overflows_is_no_error():
    x = jnp.full((4, 3), 3e38, "float32")
    parameters = {"W": jnp.zeros((3, 2), "float32")}
    (layer,), gradient, risk = source.collect((linear, parameters), "mse", x, jnp.zeros((4, 2)))
    assert risk == 0
    assert not gradient.any()
    np.testing.assert_array_equal(layer.inputs[:, 0], x)


class Broken(SquaredError):
    """Columns that are NaN, beside a loss and a gradient that are finite."""

    def columns(self, f):
        return super().columns(f) * jnp.nan


def test_columns_that_are_not_finite_are_named():
    with pytest.raises(ValueError, match="output_gradients of layer 'W' hold NaN or Inf in 4 of 4 examples"):
        source.collect((linear, PARAMETERS), Broken(), X, Y)


def test_layers_are_those_that_a_constructor_makes():
    (layer,), _, _ = source.collect((linear, PARAMETERS), "mse", X, Y)
    made = type(layer)(layer.inputs, layer.output_gradients, layer.name)
    assert repr(made) == repr(layer)
    np.testing.assert_array_equal(fisher([made]).to_dense(), fisher([layer]).to_dense())
