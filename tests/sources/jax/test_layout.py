"""Vectors lead to the parameters and back, and a step of K-FAC goes down."""

import numpy as np
import pytest

from kronlin.curvature import kfac
from kronlin.sources import jax as source
from kronlin.sources.jax._names import named_arrays
from tests.nets import close
from tests.sources.jax.nets import jax, jnp, numbers, problem


@pytest.mark.parametrize("name", ["perceptron", "images", "heads"])
def test_a_vector_and_back(name):
    given = problem(name)
    layout = given.layout
    v = jnp.asarray(np.random.default_rng(0).standard_normal(layout.size))
    tree = source.to_tree(layout, v, like=given.parameters)
    shapes = jax.tree_util.tree_map(jnp.shape, given.parameters)
    assert jax.tree_util.tree_map(jnp.shape, tree) == shapes
    found = layout.vector({path: np.asarray(array) for path, array in named_arrays(tree).items()})
    np.testing.assert_array_equal(found, np.asarray(v))


def test_shapes_are_enough():
    given = problem("perceptron")
    shapes, x = jax.eval_shape(lambda *args: args, given.parameters, given.x)
    assert (
        repr(source.layout((given.model, shapes), x))
        == repr(given.layout)
        == "ParameterLayout(4×4, 2×5, 3×3, 35 parameters)"
    )


def test_a_parameter_without_axes():
    def model(p, x):
        return p["scale"] * (x @ p["W"])

    parameters = {"scale": jnp.asarray(2.0), "W": jnp.ones((3, 1))}
    layers, gradient, _ = source.collect((model, parameters), "mse", jnp.ones((2, 3)), jnp.zeros((2, 1)))
    layout = source.layout((model, parameters), jnp.ones((2, 3)))
    tree = source.to_tree(layout, gradient, like=parameters)
    assert [layer.name for layer in layers] == ["W", "scale"]
    assert tree["scale"].shape == ()
    assert float(tree["scale"]) == pytest.approx(18)
    close(np.asarray(tree["W"]), np.full((3, 1), 12.0))


def test_what_is_omitted_is_taken_from_the_other_tree():
    def model(p, x):
        return x @ p["W"] @ jnp.sin(p["V"])

    parameters = {"V": jnp.ones((2, 2)), "W": jnp.ones((3, 2))}
    layout = source.layout((model, parameters), jnp.ones((4, 3)), unsupported="omit")
    tree = source.to_tree(layout, jnp.zeros(6), like=parameters)
    assert tree["V"] is parameters["V"]
    assert not tree["W"].any()


def test_a_step_goes_down():
    given = problem("perceptron")
    layers, gradient, risk = given.collect()
    step = kfac(numbers(layers)).damped(0.1).solve(np.asarray(gradient))  # of JAX it would be compiled for each shape
    step = source.to_tree(given.layout, step, like=given.parameters)
    moved = jax.tree_util.tree_map(lambda p, s: p - 0.1 * s, given.parameters, step)
    assert given._replace(parameters=moved).collect()[2] < risk


def test_trees_and_vectors_that_do_not_fit():
    given = problem("perceptron")
    with pytest.raises(ValueError, match="the tree has no array 'a/bias', its names are 'W'"):
        source.to_tree(given.layout, jnp.ones(35), like={"W": jnp.ones((3, 2))})
    with pytest.raises(ValueError, match=r"takes a vector \(35,\)"):
        source.to_tree(given.layout, jnp.ones(34), like=given.parameters)
