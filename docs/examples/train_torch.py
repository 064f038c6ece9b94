"""
Training in PyTorch
===================

A classifier and an autoencoder of digits are trained by gradient descent with momentum, by Adam, by K-FAC and by K-FAC
with a second level. ``kl.training.PreconditionedOptimizer`` wraps any optimiser of PyTorch: it puts the preconditioned
gradient in the place of the gradient, and the optimiser makes its step.
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import kronlin as kl

torch.set_num_threads(1)  # the networks are too small for more
images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
images = images.float() / 16
epochs, batch = 10, 256

# %%
# Models and losses
# -----------------


def network(*widths):
    torch.manual_seed(0)
    linear = [nn.Linear(m, n) for m, n in zip(widths, widths[1:], strict=False)]
    return nn.Sequential(linear[0], *(module for layer in linear[1:] for module in (nn.Tanh(), layer)))


classifier = partial(network, 64, 32, 10), nn.CrossEntropyLoss(), labels
autoencoder = partial(network, 64, 32, 8, 32, 64), nn.BCEWithLogitsLoss(), images

# %%
# Optimisers
# ----------
#
# The exact Fisher matrix of the batch sets the length of the steps of K-FAC and mixes each with the step before, so
# that the optimiser inside has the rate one. The damping follows the loss. The Fisher matrix of the classifier has a
# column for each image and class, that of the autoencoder one for each image and each of eight labels drawn from the
# network. The loss of the autoencoder is a mean over its 64 outputs, and its damping is in these units; with a third of
# it, the two-level steps overshoot in the second epoch.
#
# The second level corrects K-FAC by the exact Fisher matrix on twenty of its own eigenvectors in each layer.


def kfac(model, loss, damping, fisher, **levels):
    controller = kl.LevenbergMarquardt(damping, bounds=(damping / 10, np.inf))
    preconditioner = kl.Preconditioner(kl.kfac, controller, rescale=True, momentum=True, inverses_every=5, **levels)
    inner = torch.optim.SGD(model.parameters(), lr=1.0)
    return kl.training.PreconditionedOptimizer(inner, model, loss, preconditioner, **fisher)


two_levels = {"scheme": "A-DEF2", "coarse_space": partial(kl.coarse.spectral, k=20, which="largest")}

# %%
# The loop
# --------
#
# One line of it is of second order: ``backward`` takes in the statistics of the batch on its way.


def trained(model, optimizer, loss, y):
    torch.manual_seed(1)
    losses = []
    for _ in range(epochs):
        for part in torch.randperm(len(images)).split(batch):
            optimizer.zero_grad()
            if isinstance(optimizer, kl.training.PreconditionedOptimizer):
                optimizer.backward(images[part], y[part])
            else:
                loss(model(images[part]), y[part]).backward()
            optimizer.step()
        with torch.no_grad():
            losses.append(float(loss(model(images), y)))
    return losses


# %%
# Both tasks
# ----------
#
# The loss is that of all images after each epoch.

tasks = {
    "classifier": (*classifier, 0.3, 0.1, {"fisher": "type-2"}),
    "autoencoder": (*autoencoder, 3.0, 0.3 / 64, {"fisher": "mc", "samples": 8}),
}
axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")[1]
for axis, (task, (build, loss, y, rate, damping, fisher)) in zip(axes, tasks.items(), strict=True):
    optimizers = {
        "momentum": lambda model, rate=rate: torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9),
        "Adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.03),
        "K-FAC": partial(kfac, loss=loss, damping=damping, fisher=fisher),
        "two-level K-FAC": partial(kfac, loss=loss, damping=damping, fisher=fisher, **two_levels),
    }
    print(f"{task:18}1 epoch  3 epochs  {epochs} epochs")
    for name, optimizer in optimizers.items():
        model = build()
        losses = trained(model, optimizer(model), loss, y)
        print(f"{name:15}{losses[0]:10.3f}{losses[2]:10.3f}{losses[-1]:11.3f}")
        axis.semilogy(range(1, epochs + 1), losses, label=name)
    axis.set(title=task, xlabel="epoch", ylabel="loss")
    axis.legend()
plt.show()

# %%
# The autoencoder's loss is a cross-entropy of grey values, which has a minimum above zero.
