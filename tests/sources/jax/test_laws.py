"""The laws of a source, kept by JAX's."""

import inspect

import pytest

from kronlin.sources import Source
from kronlin.sources import jax as source
from kronlin.testing import check_source
from tests.sources.jax.nets import jnp


def test_the_arguments_of_the_protocol_come_in_its_order():
    wanted = list(inspect.signature(Source.__call__).parameters.values())[1:]
    found = list(inspect.signature(source.collect).parameters.values())
    assert [(p.name, p.default) for p in found[: len(wanted)]] == [(p.name, p.default) for p in wanted]
    assert all(p.default is not p.empty for p in found[len(wanted) :])


def network(parameters, x):
    return jnp.tanh(x @ parameters["W"] + parameters["b"]) @ parameters["V"]


@pytest.mark.slow
def test_every_law():
    """For one small network: every call of another shape is compiled."""
    parameters = {"W": jnp.ones((2, 1)), "b": jnp.ones(1), "V": jnp.ones((1, 2))}
    x, y = jnp.asarray([[1.0, 0.5], [-0.3, 2.0]]), jnp.asarray([0, 1])
    layout = source.layout((network, parameters), x)

    def at(theta):
        return network, source.to_tree(layout, theta, like=parameters)

    theta = jnp.asarray([0.4, -0.8, 0.2, 1.1, -0.6])
    check_source(source.collect, at, theta, "softmax", x, y, output=lambda model, x: model[0](model[1], x))
