"""The transformation is the preconditioner on a tree of arrays, and optax takes it."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.training import precondition
from tests.nets import random_layers

jax = pytest.importorskip("jax")

SHAPES = {"dense/kernel": (2, 1), "dense/bias": (), "last/0": (1,)}
LAYOUT = kl.ParameterLayout(
    {name: shape or (1,) for name, shape in SHAPES.items()},
    [("dense/kernel", "dense/bias")],
    order="in-out",
    others="omit",
)
LAYERS = random_layers(np.random.default_rng(0), 4, 2, [(1, 3)])


def tree():
    kernel, bias, last = (
        jax.numpy.asarray(np.random.default_rng(1).normal(size=shape), dtype="float32") for shape in SHAPES.values()
    )
    return {"dense": {"kernel": kernel, "bias": bias}, "last": [last]}


def ready():
    preconditioner = kl.Preconditioner(kl.kfac, 0.1)
    preconditioner.update(
        [
            kl.LayerStatistics(*(jax.numpy.asarray(x, dtype="float32") for x in (a.inputs, a.output_gradients)))
            for a in LAYERS
        ]
    )
    return preconditioner


def holds(found, gradient, factor=1.0):
    own = kl.Preconditioner(kl.kfac, 0.1)
    own.update(LAYERS)
    named = {name: np.asarray(gradient["dense"][name[6:]], dtype="float64") for name in LAYOUT.names}
    steps = LAYOUT.arrays(own.apply(LAYOUT.vector({name: np.atleast_1d(array) for name, array in named.items()})))
    for name, array in found["dense"].items():
        assert (array.dtype, array.shape) == ("float32", SHAPES[f"dense/{name}"])
        np.testing.assert_allclose(np.atleast_1d(array), factor * steps[f"dense/{name}"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found["last"][0], factor * gradient["last"][0], rtol=1e-6)


def test_is_the_preconditioner_on_a_tree():
    transformation, gradient = precondition(ready(), LAYOUT), tree()
    state = transformation.init(gradient)
    found, after = transformation.update(gradient, state, gradient)
    assert after == state
    assert jax.tree_util.tree_structure(found) == jax.tree_util.tree_structure(gradient)
    holds(found, gradient)


def test_optax_takes_it():
    optax = pytest.importorskip("optax")
    chained, gradient = optax.chain(precondition(ready(), LAYOUT), optax.sgd(0.5)), tree()
    found, _ = chained.update(gradient, chained.init(gradient), gradient)
    holds(found, gradient, -0.5)


def test_an_array_that_is_missing_is_named():
    with pytest.raises(ValueError, match="no dense/kernel, dense/bias, which the layout has, but last/0"):
        precondition(ready(), LAYOUT).update({"last": [jax.numpy.ones((2, 1))]}, ())
