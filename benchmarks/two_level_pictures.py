"""Question: what does a coarse correction do to the spectrum and to convergence; drawn for "Two-level methods"."""

from pathlib import Path

import numpy as np
from deflation.methods import errors, inaccurate, methods
from deflation.problems import islands
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.linalg import cholesky, eigvalsh

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect

DOCS = Path(__file__).parents[1] / "docs"
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, RED, PINK = "#0072B2", "#D55E00", "#CC79A7"
"""Colours that are told apart by colour-blind eyes (Okabe and Ito)."""

ROWS = {"M": BLACK, "AD": ORANGE, "DEF1": SKY, "BNN": BLUE}
ROBUST = {"PREC": BLACK, "AD": ORANGE, "A-DEF2": GREEN, "BNN": BLUE}
FRAGILE = {"DEF1": SKY, "DEF2": RED, "R-BNN1": PINK}


def small_net() -> tuple[kl.Operator, kl.Operator, kl.Operator]:
    """The damped Fisher matrix A, the inverse M of K-FAC, and the coarse space Z of the page's example."""
    x = np.random.default_rng(0).normal(size=(200, 8))
    labels = (x[:, 0] * x[:, 1] > 0).astype(int) + (x[:, 2] > 0.5)
    layers, _, _ = collect(MLP((8, 12, 3)).train("softmax", x, labels, steps=50), "softmax", x, labels)
    K = kl.kfac(layers)
    return kl.fisher(layers).damped(0.1), K.damped(0.1).inverse(), kl.coarse.spectral(K, k=10, which="largest")


def spectrum(A: kl.Operator, B: kl.Operator) -> np.ndarray:
    """Eigenvalues of B A as those of Lᵀ B L, A = L Lᵀ, for a self-adjoint B."""
    L = cholesky(A.to_dense(), lower=True)
    W = L.T @ (B @ L)
    return eigvalsh((W + W.T) / 2)


def draw_spectra(
    axes: Axes, title: str, ticks: tuple[float, ...], A: kl.Operator, M: kl.Operator, Z: kl.Operator
) -> None:
    """One row of eigenvalues for each operator; zeros are told in words, for they have no place on this axis."""
    balanced = kl.two_level(A, M, Z, "BNN")
    shown = {"M": M, "AD": balanced.with_scheme("AD"), "DEF1": balanced.with_scheme("R-BNN1"), "BNN": balanced}
    for height, (name, B) in zip(range(len(shown), 0, -1), shown.items(), strict=True):
        values = spectrum(A, B)[Z.shape[1] if name == "DEF1" else 0 :]
        axes.vlines(values, height - 0.22, height + 0.22, color=ROWS[name], linewidth=0.8)
        words = f"κ = {values[-1] / values[0]:.3g}" + (f", and {Z.shape[1]} zeros" if name == "DEF1" else "")
        axes.annotate(words, (values[-1], height + 0.27), fontsize=8, color="0.25", ha="right")
    axes.set(xscale="log", ylim=(0.6, len(shown) + 0.65), xlabel="eigenvalues")
    axes.set_title(title, fontsize=10)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_yticks(range(len(shown), 0, -1), ["M A", "AD · A", "DEF1 · A", "BNN · A"])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.tick_params(left=False)


def draw_convergence(axes: Axes, title: str, curves: dict[str, np.ndarray]) -> None:
    """Error curves: what is robust is solid, what is not is dashed."""
    for name, curve in curves.items():
        color, style = (ROBUST[name], "-") if name in ROBUST else (FRAGILE[name], "--")
        width = 4 if name == "A-DEF2" else 1.6  # it lies under BNN
        axes.semilogy(curve, style, color=color, label=name, linewidth=width)
    axes.set(xlim=(0, 60), ylim=(1e-13, 1e2), xlabel="step")
    axes.set_title(title, fontsize=10)
    axes.grid(axis="y", color="0.9")
    axes.spines[["right", "top"]].set_visible(False)


def main() -> None:
    """Draw docs/two_level_spectra.png and docs/two_level_convergence.png."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    grid = islands(24)
    draw_spectra(
        left,
        "islands on a grid: M by IC(0), Z constants on subdomains",
        (1e-6, 1e-4, 1e-2, 1.0),
        grid.A,
        grid.M,
        grid.Z,
    )
    draw_spectra(right, "a small net: M by K-FAC, Z its largest eigenvectors", (0.25, 0.5, 1.0, 2.0), *small_net())
    figure.savefig(DOCS / "two_level_spectra.png", dpi=120)

    figure = Figure(figsize=(10, 3.8), layout="constrained")
    grid = islands(48)
    axes = figure.subplots(1, 2, sharey=True)
    panels = {"exact coarse solves": 0.0, "disturbed coarse solves, ψ = 1e-4": 1e-4}
    for place, (title, psi) in zip(axes, panels.items(), strict=True):
        table = methods(grid, inaccurate(grid, psi))
        draw_convergence(place, title, {name: errors(grid, table[name], 0.0) for name in [*ROBUST, *FRAGILE]})
    axes[0].set_ylabel("error in the A-norm")
    axes[1].legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(DOCS / "two_level_convergence.png", dpi=120)


if __name__ == "__main__":
    main()
