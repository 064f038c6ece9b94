"""Short trainings for tests of the preconditioner: kinds of it, and a small net on fixed data."""

from functools import partial

import numpy as np

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect

NICOLAIDES = {"scheme": "BNN", "coarse_space": kl.coarse.nicolaides}
OPTIONS = {
    "kfac": {"estimator": kl.kfac, "damping": 0.1, "inverses_every": 3},
    "factored": {"estimator": kl.kfac, "damping": 0.1, "damp": kl.factored_damping, "factors_every": 2},
    "ekfac": {"estimator": kl.ekfac, "basis": kl.kfac, "damping": 0.1, "inverses_every": 3},
    "tkfac, spectral": {
        "estimator": kl.tkfac,
        "damping": 0.1,
        "scheme": "A-DEF2",
        "coarse_space": partial(kl.coarse.spectral, k=2, which="largest"),
        "inverses_every": 3,
    },
    "two clocks": {"estimator": kl.kfac, "damping": 0.1, "basis_every": 4, "coarse_every": 2, **NICOLAIDES},
    "gradients": {
        "estimator": kl.kfac,
        "damping": 0.1,
        "scheme": "AD",
        "coarse_space": kl.coarse.gradients,
        "inverses_every": 2,
    },
    "one a layer": {"estimator": kl.kfac, "damping": [0.1, 0.2], "rescale": True, "inverses_every": 4, **NICOLAIDES},
    "Levenberg": {
        "estimator": kl.kfac,
        "damping": kl.LevenbergMarquardt(1.0, interval=2),
        "inverses_every": 4,
        "rescale": True,
        "momentum": True,
    },
    "Levenberg, two levels": {
        "estimator": kl.kfac,
        "damping": kl.LevenbergMarquardt(1.0, interval=2),
        "inverses_every": 4,
        "kl_clip": 0.1,
        **NICOLAIDES,
    },
    "no mean": {"estimator": kl.kpsvd, "damping": 0.1, "decay": 0},
}

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = np.argmax(X @ RNG.normal(size=(4, 3)) + 0.3 * RNG.normal(size=(60, 3)), axis=1)
NET = MLP((4, 5, 3))


def train(preconditioner, net=NET, steps=8, lr=0.5, start=0, batches=3):
    """Take steps on batches in turn; return the net, all steps, and the loss on all data."""
    taken = []
    for step in range(start, start + steps):
        some = slice(step % batches, None, batches)
        layers, gradient, loss = collect(net, "softmax", X[some], Y[some])
        preconditioner.update(layers)
        taken.append(preconditioner.apply(gradient, lr))
        net = net.with_parameters(net.parameters - lr * taken[-1])
        if preconditioner.awaits_loss:
            preconditioner.observe(loss, collect(net, "softmax", X[some], Y[some])[2])
    return net, taken, collect(net, "softmax", X, Y)[2]
