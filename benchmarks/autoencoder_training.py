"""Question: how many epochs does K-FAC, with one level and with two, need to the loss that Adam has after 50.

Every method has a small grid of settings, each of which runs from the same three seeds on the same batches. The best
one of Adam has the lowest loss after 50 epochs, that of the others after a third of them; losses are means over seeds.
"""

import csv
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from harness import report
from sklearn.datasets import load_digits
from torch import nn
from training_step import preconditioned

import kronlin as kl

WIDTHS = (64, 100, 50, 25, 10, 25, 50, 100, 64)
SEEDS = (0, 1, 2)
EPOCHS, THIRD, SHOWN = 50, 16, 25
"""Those of Adam, a third of them, and those that the others run."""
CURVES = Path(__file__).parent / "results" / "autoencoder_training_curves.csv"
X = torch.as_tensor(load_digits().data / 16, dtype=torch.float32)
LOSS = nn.BCEWithLogitsLoss()

Step = Callable[[torch.Tensor], Any]


def autoencoder(seed: int) -> nn.Module:
    """A net for digits of 64 pixels with values from 0 to 1."""
    torch.manual_seed(seed)
    layers = [
        layer for d_in, d_out in zip(WIDTHS, WIDTHS[1:], strict=False) for layer in (nn.Linear(d_in, d_out), nn.Tanh())
    ]
    return nn.Sequential(*layers[:-1])


def adam(model: nn.Module, batches: int, lr: float, schedule: str) -> Step:
    """A step of Adam, lr constant or led down to 0 by half a cosine."""
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    lengths = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS * batches)

    def step(x: torch.Tensor) -> None:
        model.zero_grad()
        pixels(model, x).backward()
        optimiser.step()
        if schedule == "cosine":
            lengths.step()

    return step


def kfac(model: nn.Module, batches: int, lam: float, **levels: Any) -> Step:
    """A step of K-FAC whose length, and momentum, are the best ones of the quadratic model of the batch."""
    length = {"rescale": True, "momentum": True}
    preconditioner = kl.Preconditioner(kl.kfac, lam, damp=kl.factored_damping, inverses_every=5, **length, **levels)
    return preconditioned(model, "bernoulli", preconditioner, torch.optim.SGD(model.parameters(), lr=1.0))


def pixels(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The cross-entropy of the pixels, summed over them, a mean over examples."""
    return x.shape[1] * LOSS(model(x), x)


def curve(make: Callable[..., Step], seed: int, batch: int, epochs: int) -> tuple[list[float], float]:
    """The loss on all digits before and after each epoch, and seconds an epoch."""
    model, batches = autoencoder(seed), len(X) // batch
    step, order = make(model, batches), torch.Generator().manual_seed(seed)
    losses, seconds = [], 0.0
    for epoch in range(epochs + 1):
        with torch.no_grad():
            losses.append(float(pixels(model, X)))
        start = time.process_time()
        if epoch < epochs:
            for rows in torch.randperm(len(X), generator=order)[: batches * batch].reshape(batches, batch):
                step(X[rows])
        seconds += time.process_time() - start
    return losses, seconds / epochs


def grids() -> dict[str, dict[str, tuple[Callable[..., Step], int, int, int]]]:
    """For each method, by setting: the step, the batch, the epochs, and the one after which it counts."""
    lams = (0.01, 0.03, 0.1, 0.3)
    found: dict[str, dict[str, tuple[Callable[..., Step], int, int, int]]] = {"Adam": {}, "K-FAC": {}}
    for batch in (32, 64, 128):
        for schedule in ("constant", "cosine"):
            for lr in (2e-3, 4e-3, 8e-3, 16e-3, 32e-3):
                name = f"lr {lr:g} {schedule}, batch {batch}"
                found["Adam"][name] = partial(adam, lr=lr, schedule=schedule), batch, EPOCHS, EPOCHS
    for lam in lams:
        found["K-FAC"][f"λ {lam:g}, batch 64"] = partial(kfac, lam=lam), 64, SHOWN, THIRD
    for scheme in ("additive", "multiplicative"):
        title = f"two-level K-FAC, {scheme}"
        found[title] = {}
        for lam in lams:
            make = partial(kfac, lam=lam, scheme=scheme, coarse_space=kl.coarse.nicolaides)
            found[title][f"λ {lam:g}, batch 64"] = make, 64, SHOWN, THIRD
    return found


def first(losses: list[float], goal: float) -> int | None:
    """The first epoch after which the loss is not above a goal."""
    return next((epoch for epoch, loss in enumerate(losses) if loss <= goal), None)


def main() -> None:
    """Run all settings, print them, keep the curves of the best ones."""
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    curves: dict[str, list[list[float]]] = {}
    for method, settings in grids().items():
        best = float("inf")
        for setting, (make, batch, epochs, last) in settings.items():
            runs = [curve(make, seed, batch, epochs) for seed in SEEDS]
            losses = [run[0] for run in runs]
            value = mean(each[last] for each in losses)
            rows.append({"method": method, "setting": setting, "epoch": last, "loss": value})
            rows[-1] |= {"ms an epoch": 1e3 * mean(run[1] for run in runs)}
            print(*rows[-1].values(), flush=True)
            if value < best:
                best, curves[method] = value, losses
    for row in rows:
        method = row["method"]
        row["best"] = row["loss"] == min(other["loss"] for other in rows if other["method"] == method)
        row["epochs to Adam's"] = ""
        if row["best"]:
            pairs = zip(curves[method], curves["Adam"], strict=True)
            row["epochs to Adam's"] = " ".join(str(first(losses, goal[-1])) for losses, goal in pairs)
    report("autoencoder_training", rows)
    with CURVES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["method", "seed", *range(EPOCHS + 1)])
        for method, losses in curves.items():
            writer.writerows(
                [method, seed, *(f"{x:.4f}" for x in each)] for seed, each in zip(SEEDS, losses, strict=True)
            )


if __name__ == "__main__":
    main()
