"""Values, roots and labels of the losses, against NumPy's, Hessians by JAX, and the enumeration of all labels."""

import itertools

import numpy as np
import pytest

from kronlin.sources import _losses as numpy_losses
from kronlin.sources._positions import PerPosition
from kronlin.sources.jax._losses import LOSSES, Other, loss_function
from tests.nets import close
from tests.sources.jax.nets import jax, jnp

EACH = pytest.mark.parametrize("name", LOSSES)
F = np.random.default_rng(0).standard_normal((2, 3, 2))  # examples, positions, classes


def labels(name):
    rng = np.random.default_rng(1)
    if name == "softmax":
        return rng.integers(2, size=(2, 3))
    y = rng.standard_normal(F.shape)
    return y if name == "mse" else rng.random(F.shape)


@EACH
def test_the_same_as_numpy(name):
    ours, theirs, y = LOSSES[name], PerPosition(numpy_losses.LOSSES[name]), labels(name)
    targets = ours.targets(F, jnp.asarray(y))
    close(np.asarray(targets), theirs.targets(F, y))
    close(np.asarray(jax.vmap(ours.value)(F, targets)), theirs.value(F, y))
    close(np.asarray(jax.vmap(ours.gradient)(F, targets)), theirs.gradient(F, y))
    close(np.asarray(jax.vmap(ours.columns)(F)), np.moveaxis(theirs.root(F), -1, 1))


@EACH
def test_the_columns_are_a_root_of_the_hessian(name):
    f, loss = jnp.asarray(F[0]), LOSSES[name]
    y = loss.targets(F, jnp.asarray(labels(name)))[0]
    hessian = jax.hessian(loss.value)(f, y).reshape(f.size, f.size)
    columns = loss.columns(f).reshape(-1, f.size)
    close(np.asarray(columns.T @ columns), np.asarray(hessian))


@pytest.mark.parametrize("name", ["softmax", "bernoulli"])
def test_the_hessian_is_the_mean_over_all_labels(name):
    f, loss = jnp.asarray(F[0]), LOSSES[name]
    every = itertools.product([0, 1], repeat=3 if name == "softmax" else 6)
    y = jnp.asarray([np.reshape(one, (3,) if name == "softmax" else (3, 2)) for one in every])
    targets = loss.targets(jnp.broadcast_to(f, (len(y), *f.shape)), y if name == "softmax" else y.astype(float))
    p = jnp.exp(-jax.vmap(loss.value, (None, 0))(f, targets))
    g = jax.vmap(loss.gradient, (None, 0))(f, targets).reshape(len(y), -1)
    columns = loss.columns(f).reshape(-1, f.size)
    assert float(p.sum()) == pytest.approx(1)
    close(np.asarray((g.T * p) @ g), np.asarray(columns.T @ columns))


@EACH
def test_labels_are_drawn_from_the_model(name):
    f, loss, draws = jnp.asarray(F[0]), LOSSES[name], 20_000
    y = jax.jit(jax.vmap(loss.sample, (None, 0)))(f, jax.random.split(jax.random.key(0), draws))
    assert y.dtype == f.dtype
    g = np.asarray(jax.jit(jax.vmap(loss.gradient, (None, 0)))(f, y)).reshape(draws, -1)
    columns = np.asarray(loss.columns(f)).reshape(-1, f.size)
    error = abs(g.T @ g / draws - columns.T @ columns)
    assert error.max() < 5 * (g**2).std(axis=0).max() / draws**0.5


@EACH
def test_large_outputs_do_not_overflow(name):
    f, loss = jnp.asarray([[800.0, -800.0]]), LOSSES[name]

    @jax.jit
    def everything(f):
        y = loss.sample(f, jax.random.key(0))
        return loss.value(f, y), loss.gradient(f, y), loss.columns(f)

    for array in everything(f):
        assert np.isfinite(array).all()


@pytest.mark.parametrize(
    ("name", "shape", "y", "message"),
    [
        ("mse", (2, 3), jnp.ones(2), r"'mse' got labels of shape \(2,\)"),
        ("bernoulli", (2, 1), jnp.ones(2), r"'bernoulli' got labels of shape \(2,\)"),
        ("bernoulli", (2,), jnp.asarray([0.0, 1.5]), r"'bernoulli' got labels from 0.0 to 1.5: they must lie in \[0"),
        ("softmax", (2, 3), jnp.ones(2), r"class labels are integers of shape \(2,\)"),
        ("softmax", (2, 3), jnp.asarray([0, 3]), r"labels from 0 to 3 for 3 classes: they must lie in 0..2"),
        ("softmax", (1, 2), jnp.asarray([[0.9, 0.2]]), "rows that are not one-hot"),
        ("softmax", (1, 2), jnp.asarray([[1.5, -0.5]]), "rows that are not one-hot"),
    ],
)
def test_labels_that_do_not_fit(name, shape, y, message):
    look = LOSSES[name].check if "they must" in message or "one-hot" in message else LOSSES[name].targets
    with pytest.raises(ValueError, match=message):
        look(jax.ShapeDtypeStruct(shape, float), y)


def test_names_functions_and_losses():
    assert loss_function("mse") is LOSSES["mse"]
    assert loss_function(LOSSES["mse"]) is LOSSES["mse"]
    assert loss_function(jnp.sum) == Other(jnp.sum)
    with pytest.raises(ValueError, match="unknown loss 'l2': choose one of 'mse', 'softmax', 'bernoulli'"):
        loss_function("l2")


def test_a_function_must_give_one_number():
    with pytest.raises(ValueError, match=r"the loss of one example has shape \(2,\)"):
        Other(lambda f, y: f - y).value(jnp.ones(2), jnp.ones(2))
    with pytest.raises(ValueError, match="take fisher='empirical'"):
        Other(jnp.sum).sample(jnp.ones(2), None)
