"""One forward pass: pairs, gradient, risk and outputs belong to the same parameters and examples."""

import numpy as np

from kronlin.sources.jax._differentiate import differentiate
from kronlin.sources.jax._losses import LOSSES
from tests.nets import close
from tests.sources.jax.nets import jax, jnp

X, W = jnp.asarray([[1.0, 2.0], [-1.0, 0.5]]), jnp.asarray([[1.0, -1.0], [0.5, 2.0]])
Y = jnp.asarray([[0.0, 1.0], [2.0, -1.0]])


def run(fisher, samples=1, seed=0):
    return jax.jit(
        lambda W, x, y, seed: differentiate(
            lambda p, x: x @ p["W"], LOSSES["mse"], fisher, samples, "error", {"W": W}, x, y, seed
        )
    )(W, X, Y, seed)


def test_empirical_columns_are_residuals():
    ((a, g),), gradient, risk, f = run("empirical")
    close(np.asarray(f), np.asarray(X @ W))
    close(np.asarray(a[:, 0]), np.asarray(X))
    close(np.asarray(g[:, 0, 0]), np.asarray(f - Y))
    close(np.asarray(gradient), np.asarray((f - Y).T @ X / 2).ravel())
    close(np.asarray(risk), np.asarray(((f - Y) ** 2).sum() / 4))


def test_sampled_columns_follow_seed_and_number_but_the_gradient_does_not():
    ((_, g),), gradient, _, _ = run("mc", samples=3)
    ((_, other),), wanted, _, _ = run("mc", samples=3, seed=1)
    assert g.shape == (2, 1, 3, 2)
    assert float(abs(g - other).max()) > 0
    close(np.asarray(gradient), np.asarray(wanted))
