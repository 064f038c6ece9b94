"""
Training in JAX
===============

A classifier and an autoencoder of digits are trained by gradient descent with momentum, by Adam, by K-FAC and by K-FAC
with a second level. A model is a function of its parameters. ``kronlin.sources.jax`` reads from its program where the
layers are, and ``kl.Preconditioner`` computes with arrays of JAX.
"""

from functools import partial

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import kronlin as kl
from kronlin.sources import jax as source

images, labels = load_digits(return_X_y=True)
images, labels = jnp.asarray(images / 16, dtype=jnp.float32), jnp.asarray(labels)
epochs, batch = 10, 256

# %%
# Models
# ------
#
# Parameters are a list of pairs of a kernel and a bias. Any other containers do as well.


def initialised(widths, seed=0):
    keys = jax.random.split(jax.random.key(seed), len(widths) - 1)
    sizes = zip(widths, widths[1:], keys, strict=False)
    return [(jax.random.normal(key, (m, n)) / jnp.sqrt(m), jnp.zeros(n)) for m, n, key in sizes]


def network(parameters, x):
    for kernel, bias in parameters[:-1]:
        x = jnp.tanh(x @ kernel + bias)
    kernel, bias = parameters[-1]
    return x @ kernel + bias


def softmax(f, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(f), y[:, None], axis=1))


def bernoulli(f, y):
    return jnp.mean(jnp.sum(jax.nn.softplus(f) - y * f, axis=1))


@partial(jax.jit, static_argnums=0)
def value_and_gradient(loss, parameters, x, y):
    return jax.value_and_grad(lambda parameters: loss(network(parameters, x), y))(parameters)


# %%
# First order
# -----------
#
# A step is a function of the parameters and of a batch that returns the next parameters.


def momentum(rate):
    velocity = None

    def step(parameters, loss, x, y):
        nonlocal velocity
        _, g = value_and_gradient(loss, parameters, x, y)
        velocity = g if velocity is None else jax.tree.map(lambda v, g: 0.9 * v + g, velocity, g)
        return jax.tree.map(lambda p, v: p - rate * v, parameters, velocity)

    return step


def adam(rate):
    m = v = None
    t = 0

    def step(parameters, loss, x, y):
        nonlocal m, v, t
        _, g = value_and_gradient(loss, parameters, x, y)
        zero, t = jax.tree.map(jnp.zeros_like, g), t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m or zero, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, v or zero, g)
        up, down = rate / (1 - 0.9**t), 1 - 0.999**t
        return jax.tree.map(lambda p, m, v: p - up * m / (jnp.sqrt(v / down) + 1e-8), parameters, m, v)

    return step


# %%
# Second order
# ------------
#
# The exact Fisher matrix of the batch sets the length of each step and mixes it with the step before, and the damping
# follows the loss. The preconditioner stays outside of ``jax.jit``, for it decides by the numbers that it sees. Its
# steps are vectors, and ``to_tree`` puts them into the containers of the parameters. (For optax there is
# ``kl.training.precondition``.)
#
# The second level corrects K-FAC by the exact Fisher matrix on twenty of its own eigenvectors in each layer.


def kfac(layout, fisher, **levels):
    damping = kl.LevenbergMarquardt(0.1, bounds=(0.01, np.inf))
    preconditioner = kl.Preconditioner(kl.kfac, damping, rescale=True, momentum=True, inverses_every=5, **levels)

    def step(parameters, loss, x, y):
        layers, gradient, before = source.collect(
            (network, parameters), loss.__name__, x, y, **fisher, seed=preconditioner.step, check=False
        )
        preconditioner.update(layers)
        move = source.to_tree(layout, preconditioner.apply(gradient), like=parameters)
        parameters = jax.tree.map(lambda p, d: p - d, parameters, move)
        if preconditioner.awaits_loss:
            preconditioner.observe(before, float(value_and_gradient(loss, parameters, x, y)[0]))
        return parameters

    return step


two_levels = {"scheme": "A-DEF2", "coarse_space": partial(kl.coarse.spectral, k=20, which="largest")}

# %%
# Both tasks
# ----------
#
# The loss is that of all images after each epoch. An epoch leaves out the images that do not fill a batch, so that
# nothing is compiled for another size.


def trained(parameters, step, loss, y):
    rng, losses = np.random.default_rng(0), []
    for _ in range(epochs):
        for part in rng.permutation(len(y))[: len(y) // batch * batch].reshape(-1, batch):
            parameters = step(parameters, loss, images[part], y[part])
        losses.append(float(value_and_gradient(loss, parameters, images, y)[0]))
    return losses


tasks = {
    "classifier": ((64, 32, 10), softmax, labels, {"fisher": "type-2"}, 0.3),
    "autoencoder": ((64, 32, 64), bernoulli, images, {"fisher": "mc", "samples": 4}, 0.03),
}
axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")[1]
for axis, (task, (widths, loss, y, fisher, rate)) in zip(axes, tasks.items(), strict=True):
    start = initialised(widths)
    layout = source.layout((network, start), images)
    steps = {
        "momentum": momentum(rate),
        "Adam": adam(0.03),
        "K-FAC": kfac(layout, fisher),
        "two-level K-FAC": kfac(layout, fisher, **two_levels),
    }
    print(f"{task:18}1 epoch  3 epochs  {epochs} epochs")
    for name, step in steps.items():
        losses = trained(start, step, loss, y)
        print(f"{name:15}{losses[0]:10.3f}{losses[2]:10.3f}{losses[-1]:11.3f}")
        axis.semilogy(range(1, epochs + 1), losses, label=name)
    axis.set(title=task, xlabel="epoch", ylabel="loss")
    axis.legend()
plt.show()

# %%
# The autoencoder's loss is a cross-entropy of grey values, which has a minimum above zero.
