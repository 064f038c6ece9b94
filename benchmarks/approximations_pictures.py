"""Picture of docs/approximations.rst: the Fisher matrix of a small net beside its approximations, entry by entry."""

from collections.abc import Iterator

import numpy as np
from approximations import MEMBERS, Net, layers_of, tanh
from approximations_tables import TARGET
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure

import kronlin as kl
from kronlin.sources.numpy_mlp import Linear, Reduce, Sequential

SMALL = Net(
    lambda: Sequential((8, 8), [tanh(4), Reduce("mean", axis=0), tanh(4), Linear(10)]),
    "softmax",
    (8, 8),
    30,
    64,
    "8-4 at each of 8 rows, tanh, their mean, 4, tanh, 10",
)
SHOWN = ("exact blocks", "K-FAC", "K-FAC, reduce", "EK-FAC", "KPSVD", "mini-block", "diagonal")


def panels() -> Iterator[tuple[str, np.ndarray]]:
    """Titles and matrices."""
    layers = layers_of(SMALL)
    F = kl.fisher(layers)
    yield "exact: F", F.to_dense()
    errors = kl.approximation_error(F, {name: MEMBERS[name](layers) for name in SHOWN})
    for name in SHOWN:
        yield f"{name}: {errors[name].frobenius:.2f}", MEMBERS[name](layers).to_dense()


def draw() -> Figure:
    """Entries on one scale of colours, logarithmic but near zero; above each its relative Frobenius error."""
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    found = list(panels())
    largest = np.abs(found[0][1]).max()
    norm = SymLogNorm(1e-3 * largest, vmin=-largest, vmax=largest)
    axes = figure.subplots(2, 4)
    for place, (title, matrix) in zip(axes.ravel(), found, strict=True):
        image = place.imshow(matrix, norm=norm, cmap="RdBu_r", interpolation="nearest")
        place.set(title=title, xticks=[], yticks=[])
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def main() -> None:
    """Draw it."""
    draw().savefig(TARGET / "blocks.png", dpi=80, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main()
