"""
Training in NumPy
=================

A classifier and an autoencoder of digits are trained by gradient descent with momentum, by Adam, by K-FAC and by K-FAC
with a second level. Second order takes one object here: ``kl.Preconditioner`` is told the layers of each batch and
turns the gradient into a step.
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect

images, labels = load_digits(return_X_y=True)
images /= 16
epochs, batches = 10, 7

# %%
# First order
# -----------
#
# A step is a function of the network and of a batch that returns the next network.


def value_and_gradient(net, loss, x, y):
    risk, _, gradient = net.differentiate(loss, net.forward(x), y)
    return risk, gradient


def momentum(rate):
    velocity = 0

    def step(net, loss, x, y):
        nonlocal velocity
        velocity = 0.9 * velocity + value_and_gradient(net, loss, x, y)[1]
        return net.with_parameters(net.parameters - rate * velocity)

    return step


def adam(rate):
    m = v = t = 0

    def step(net, loss, x, y):
        nonlocal m, v, t
        g = value_and_gradient(net, loss, x, y)[1]
        m, v, t = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2, t + 1
        scale = np.sqrt(v / (1 - 0.999**t)) + 1e-8
        return net.with_parameters(net.parameters - rate * m / (1 - 0.9**t) / scale)

    return step


# %%
# Second order
# ------------
#
# No rate has to be found: the exact Fisher matrix of the batch sets the length of each step and mixes it with the step
# before, and the damping follows the loss. Inverses are made every five steps. The Fisher matrix of the classifier has
# a column for each image and class, that of the autoencoder one for each image and each of four labels drawn from the
# network.
#
# The second level corrects K-FAC by the exact Fisher matrix on twenty of its own eigenvectors in each layer.


def kfac(fisher, **levels):
    damping = kl.LevenbergMarquardt(0.1, bounds=(0.01, np.inf))
    preconditioner = kl.Preconditioner(kl.kfac, damping, rescale=True, momentum=True, inverses_every=5, **levels)

    def step(net, loss, x, y):
        layers, gradient, before = collect(net, loss, x, y, **fisher, seed=preconditioner.step)
        preconditioner.update(layers)
        net = net.with_parameters(net.parameters - preconditioner.apply(gradient))
        if preconditioner.awaits_loss:
            preconditioner.observe(before, value_and_gradient(net, loss, x, y)[0])
        return net

    return step


two_levels = {"scheme": "A-DEF2", "coarse_space": partial(kl.coarse.spectral, k=20, which="largest")}

# %%
# Both tasks
# ----------
#
# The loss is that of all images after each epoch. Where there is a rate, the best of three is taken.


def trained(net, step, loss, y):
    rng, losses = np.random.default_rng(0), []
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(images)), batches):
            net = step(net, loss, images[part], y[part])
        losses.append(value_and_gradient(net, loss, images, y)[0])
    return losses


tasks = {
    "classifier": (MLP((64, 32, 10), seed=0), "softmax", labels, {"fisher": "type-2"}),
    "autoencoder": (MLP((64, 32, 8, 32, 64), seed=0), "bernoulli", images, {"fisher": "mc", "samples": 4}),
}
axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")[1]
for axis, (task, (start, loss, y, fisher)) in zip(axes, tasks.items(), strict=True):
    steps = {
        "momentum": [momentum(rate) for rate in (0.03, 0.1, 0.3)],
        "Adam": [adam(rate) for rate in (0.003, 0.01, 0.03)],
        "K-FAC": [kfac(fisher)],
        "two-level K-FAC": [kfac(fisher, **two_levels)],
    }
    print(f"{task:18}1 epoch  3 epochs  {epochs} epochs")
    for name, tried in steps.items():
        losses = min((trained(start, step, loss, y) for step in tried), key=lambda losses: losses[-1])
        print(f"{name:15}{losses[0]:10.3f}{losses[2]:10.3f}{losses[-1]:11.3f}")
        axis.semilogy(range(1, epochs + 1), losses, label=name)
    axis.set(title=task, xlabel="epoch", ylabel="loss")
    axis.legend()
plt.show()

# %%
# The autoencoder's loss is a cross-entropy of grey values, which has a minimum above zero.
#
# Source: Martens and Grosse (2015), "Optimizing neural networks with Kronecker-factored approximate curvature".
