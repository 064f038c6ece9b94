"""A loss of one's own is a value, a root and labels."""

import numpy as np
import pytest

from kronlin.sources import jax as source
from kronlin.sources.jax._loss import Loss, require_shape
from tests.nets import close, fisher_by_definition
from tests.sources.jax.nets import jax, jnp, numbers


class Poisson(Loss):
    """ℓ = Σ exp f - y f."""

    name = "poisson"

    def targets(self, f, y):
        require_shape(self.name, f, y)
        return y

    def value(self, f, y):
        return (jnp.exp(f) - y * f).sum()

    def columns(self, f):
        return jnp.diag(jnp.exp(f / 2))

    def sample(self, f, key):
        return jax.random.poisson(key, jnp.exp(f)).astype(f.dtype)


def test_what_must_be_written():
    assert Loss.__abstractmethods__ == {"targets", "value", "columns", "sample"}


def test_a_loss_of_ones_own():
    def model(parameters, x):
        return x @ parameters["W"]

    W = jnp.asarray([[0.1, 0.2], [0.3, 0.4]])
    x, y = jnp.asarray([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]]), jnp.asarray([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]])
    loss = Poisson()
    layers, gradient, risk = source.collect((model, {"W": W}), loss, x, y)
    wanted = sum(
        jnp.kron(jnp.diag(jnp.exp(row @ W)), jnp.outer(row, row)) for row in x
    )  # the rows of [W] are its outputs
    close(fisher_by_definition(numbers(layers)), np.asarray(wanted / 3))
    close(np.asarray(gradient), np.asarray(((jnp.exp(x @ W) - y).T @ x / 3).ravel()))
    assert risk == pytest.approx(float((jnp.exp(x @ W) - y * (x @ W)).sum() / 3))
    assert source.collect((model, {"W": W}), loss, x, y, fisher="mc", samples=2)[0][0].K == 2


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"'mse' got labels of shape \(3,\) beside outputs of shape \(3, 1\)"):
        require_shape("mse", jnp.ones((3, 1)), jnp.ones(3))
