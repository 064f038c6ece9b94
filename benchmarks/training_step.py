"""Question: what does a training step with K-FAC cost beside one of Adam, with factors every 10, inverses every 100.

The three kinds of steps in a hundred are timed each for itself, in turn with Adam: 90 that only precondition, 9 that
update the factors too, 1 that updates and inverts.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import torch
from harness import report, sampled
from pytorch_source import BATCH, WIDTHS, autoencoder
from torch import nn

import kronlin as kl
from kronlin.sources import pytorch

NEVER = 10**9
COUNTS = {"precondition": 90, "update": 9, "invert": 1}
EVERY = {"precondition": (NEVER, NEVER), "update": (1, NEVER), "invert": (1, 1)}
DAMPINGS = {"exact eigenbasis": kl.tikhonov_damping, "factored inverses": kl.factored_damping}
X, LOSS = torch.rand(BATCH, WIDTHS[0]), nn.BCEWithLogitsLoss()


def adam() -> Callable[[], None]:
    """A step of Adam."""
    model = autoencoder()
    optimiser = torch.optim.Adam(model.parameters())

    def step() -> None:
        model.zero_grad()
        LOSS(model(X), X).backward()
        optimiser.step()

    return step


def preconditioned(
    model: nn.Module, loss: Any, preconditioner: kl.Preconditioner, optimiser: torch.optim.Optimizer
) -> Callable[[torch.Tensor], None]:
    """A step on a batch: where statistics are due, `collect` gives the gradient too, elsewhere a backward pass does."""
    named = dict(model.named_parameters())
    layout: list[kl.ParameterLayout] = []

    def step(x: torch.Tensor) -> None:
        if preconditioner.needs_layers or not layout:
            layers, gradient, _ = pytorch.collect(model, loss, x, x, fisher="mc", seed=preconditioner.step)
            layout[:] = layout or [pytorch.layout(model, layers)]
            preconditioner.update(layers)
        else:
            model.zero_grad()
            loss(model(x), x).backward()
            gradient = layout[0].vector({name: parameter.grad for name, parameter in named.items()})
            preconditioner.update(tuple)  # it asks for no layers
        v = preconditioner.apply(gradient, optimiser.param_groups[0]["lr"])
        for name, array in layout[0].arrays(v).items():
            named[name].grad = array
        optimiser.step()

    return step


def kfac(damp: Callable[..., kl.Operator], every: tuple[int, int]) -> Callable[[], None]:
    """A step of K-FAC, which updates its curvature so often."""
    model = autoencoder()
    preconditioner = kl.Preconditioner(kl.kfac, 0.1, damp=damp, factors_every=every[0], inverses_every=every[1])
    return partial(preconditioned(model, LOSS, preconditioner, torch.optim.SGD(model.parameters(), lr=1e-3)), X)


def main() -> None:
    """Measure in turn, in the time of one thread: other programs on the machine then matter little."""
    torch.set_num_threads(1)
    steps = {"Adam": adam()}
    for title, damp in DAMPINGS.items():
        steps |= {f"{title}, {kind}": kfac(damp, every) for kind, every in EVERY.items()}
    load = os.getloadavg()[0]
    samples = sampled(steps, rounds=9, clock=time.process_time)
    for title in DAMPINGS:
        rounds = zip(*(samples[f"{title}, {kind}"] for kind in COUNTS), strict=True)
        weights = COUNTS.values()
        samples[f"{title}, mean of 100"] = [
            sum(w * t for w, t in zip(weights, times, strict=True)) / sum(weights) for times in rounds
        ]
    rows = [
        {
            "step": name,
            "ms": 1e3 * median(times),
            "by Adam": median(t / a for t, a in zip(times, samples["Adam"], strict=True)),
            "load": round(load, 1),
        }
        for name, times in samples.items()
    ]
    report("training_step", rows)


if __name__ == "__main__":
    main()
