"""Question: what does a training step with K-FAC cost beside one of Adam, with factors every 10, inverses every 100.

The three kinds of steps in a hundred are timed each for itself, in turn with Adam: 90 that only precondition, 9 that
update the factors too, 1 that updates and inverts.
"""

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


def loop(damp: Callable[..., kl.Operator], every: tuple[int, int]) -> Callable[[], None]:
    """A step of K-FAC as a loop of one's own makes it."""
    model = autoencoder()
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    return partial(preconditioned(model, LOSS, kfac(damp, every), optimiser), X)


def wrapped(damp: Callable[..., kl.Operator], every: tuple[int, int]) -> Callable[[], None]:
    """A step of `PreconditionedOptimizer`, whose `backward` takes what `collect` finds where statistics are due."""
    model = autoencoder()
    sgd = torch.optim.SGD(model.parameters(), lr=1e-3)
    optimiser = kl.training.PreconditionedOptimizer(sgd, model, LOSS, kfac(damp, every), fisher="mc")

    def step() -> None:
        optimiser.zero_grad()
        optimiser.backward(X, X)
        optimiser.step()

    return step


def kfac(damp: Callable[..., kl.Operator], every: tuple[int, int]) -> kl.Preconditioner:
    """K-FAC that updates its curvature so often."""
    return kl.Preconditioner(kl.kfac, 0.1, damp=damp, factors_every=every[0], inverses_every=every[1])


def main() -> None:
    """Measure in turn, in the time of one thread: other programs on the machine then matter little."""
    torch.set_num_threads(1)
    steps = {"Adam": adam()}
    titles = {
        f"{name}, {how}": partial(make, damp)
        for how, make in (("a loop", loop), ("PreconditionedOptimizer", wrapped))
        for name, damp in DAMPINGS.items()
    }
    for title, make in titles.items():
        steps |= {f"{title}, {kind}": make(every) for kind, every in EVERY.items()}
    samples = sampled(steps, rounds=9, clock=time.process_time)
    for title in titles:
        rounds = zip(*(samples[f"{title}, {kind}"] for kind in COUNTS), strict=True)
        samples[f"{title}, mean of 100"] = [
            sum(n * t for n, t in zip(COUNTS.values(), times, strict=True)) / sum(COUNTS.values()) for times in rounds
        ]
    rows = [
        {
            "step": name,
            "ms": 1e3 * median(times),
            "by Adam": median(t / a for t, a in zip(times, samples["Adam"], strict=True)),
        }
        for name, times in samples.items()
    ]
    report("training_step", rows)


if __name__ == "__main__":
    main()
