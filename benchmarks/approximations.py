"""Question: how far is each approximation of the Fisher matrix from it, on four nets."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from harness import RESULTS, machine
from sklearn.datasets import load_digits

import kronlin as kl
from kronlin.algebra import rules
from kronlin.sources.numpy_mlp import MLP, Conv2d, Linear, Reduce, Sequential, collect

DAMPING = 1e-2
"""λ / λ_max(F)."""

Layers = Sequence[kl.LayerStatistics]


class Net(NamedTuple):
    """A net, its loss, the shape of an example and how long it is trained."""

    make: Callable[[], Any]
    loss: str
    shape: tuple[int, ...]
    steps: int
    n: int
    words: str


def tanh(width: int) -> Linear:
    """A layer with its activation."""
    return Linear(width, activation="tanh")


def convolutional() -> Sequential:
    """Two convolutions, the mean over the pixels, a layer."""
    first = Conv2d(4, kernel=3, padding=1, activation="tanh")
    second = Conv2d(8, kernel=3, stride=2, activation="tanh")
    return Sequential((1, 8, 8), [first, second, Reduce("mean", axis=(1, 2)), Linear(10)])


NETS = {
    "classifier": Net(lambda: MLP((64, 12, 10)), "softmax", (64,), 30, 256, "64-12-10, tanh"),
    "deep linear": Net(lambda: MLP((64, 10, 10, 10), "identity"), "mse", (64,), 30, 256, "64-10-10-10, no activation"),
    "sequence": Net(
        lambda: Sequential((8, 8), [tanh(10), tanh(10), Reduce("mean", axis=0), Linear(10)]),
        "softmax",
        (8, 8),
        30,
        256,
        "8-10-10 at each of 8 rows, tanh, their mean, 10",
    ),
    "convolutional": Net(
        convolutional,
        "softmax",
        (1, 8, 8),
        30,
        128,
        "3×3 kernels, 1-4-8 channels, the second with stride 2, tanh, mean over pixels, 10",
    ),
}
"""All on scikit-learn's digits, from the seed 0."""

MEMBERS: dict[str, Callable[[Layers], kl.Operator]] = {
    "exact blocks": kl.block_diagonal_fisher,
    "K-FAC": kl.kfac,
    "K-FAC, reduce": lambda layers: kl.kfac(layers, "reduce"),
    "EK-FAC": kl.ekfac,
    "EK-FAC, reduce": lambda layers: kl.ekfac(layers, "reduce"),
    "TK-FAC": kl.tkfac,
    "KPSVD": kl.kpsvd,
    "KPSVD, rank 2": lambda layers: kl.kpsvd(layers, rank=2),
    "K-FAC corrected": kl.kfac_corrected,
    "mini-block": kl.mini_block_fisher,
    "diagonal": kl.diagonal_fisher,
    "Shampoo × c": lambda layers: fitted(layers, kl.shampoo(layers)),
    "FOOF × c": lambda layers: fitted(layers, kl.foof(layers)),
}
DAMPED: dict[str, Callable[[Layers, float], kl.Operator]] = {
    "K-FAC, reduce, exactly damped": lambda layers, lam: kl.kfac(layers, "reduce").damped(lam),
    "K-FAC, reduce, factored damping": lambda layers, lam: kl.factored_damping(kl.kfac(layers, "reduce"), lam),
    "block-tridiagonal K-FAC": lambda layers, lam: kl.tridiagonal_kfac(layers, lam, sharing="reduce"),
}
"""Approximations of F + λ I."""


def fitted(layers: Layers, K: kl.Operator) -> kl.Operator:
    """C K with the c that is nearest to the exact blocks, for what is defined up to a factor."""
    return float(rules.inner(kl.block_diagonal_fisher(layers), K)) / float(K.norm()) ** 2 * K


def layers_of(net: Net) -> tuple[kl.LayerStatistics, ...]:
    """Train a net for a few steps, and collect what its Fisher matrix on the first n digits is made of."""
    x, labels = load_digits(return_X_y=True)
    x = (x / 16).reshape(-1, *net.shape)
    y = np.eye(10)[labels] if net.loss == "mse" else labels
    model = net.make().train(net.loss, x, y, net.steps)
    return collect(model, net.loss, x[: net.n], y[: net.n])[0]


def measure(name: str, members: dict[str, Callable[[Layers], kl.Operator]] = MEMBERS) -> dict[str, Any]:
    """All errors on one net: against F, and Frobenius also against its diagonal blocks."""
    net, layers = NETS[name], layers_of(NETS[name])
    F, blocks = kl.fisher(layers), kl.block_diagonal_fisher(layers)
    largest = float(kl.eigsh(F, 1, "LA").values[0])
    lam = DAMPING * largest
    built = {member: build(layers) for member, build in members.items()}
    whole = kl.approximation_error(F, built, lam)
    alone = kl.approximation_error(blocks, built)
    rows = {
        row.name: {
            "frobenius": row.frobenius,
            "spectral": row.spectral,
            "blocks": alone[row.name].frobenius,
            "stein": row.stein,
            "lowest": None if row.lowest is None else row.lowest / largest,
        }
        for row in whole.rows
    }
    damped = kl.approximation_error(F.damped(lam), {each: build(layers, lam) for each, build in DAMPED.items()})
    rows |= {row.name: {"damped": row.frobenius, "damped stein": row.stein} for row in damped.rows}
    return {
        "net": name,
        "words": net.words,
        "loss": net.loss,
        "steps": net.steps,
        "n": net.n,
        "p": F.shape[0],
        "columns": F.rank,
        "largest": largest,
        "damping": DAMPING,
        "rows": rows,
    }


def main() -> None:
    """Measure all nets, and keep the numbers."""
    record = {"machine": machine(), "nets": [measure(name) for name in NETS]}
    (RESULTS / "approximations.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
