"""The main job: the exact Fisher matrix of a digits classifier or of a file, K-FAC, and two-level preconditioners."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from kronlin import coarse
from kronlin.algebra import Identity, Operator
from kronlin.arrays import Array, convert, kind, library_named, optional_import
from kronlin.curvature import LayerStatistics, fisher, kfac
from kronlin.diagnostics import Comparison, compare
from kronlin.galerkin import Galerkin
from kronlin.operators import BlockDiagonal
from kronlin.sources import files, numpy_mlp
from kronlin.twolevel import galerkin_step, two_level

SCHEMES = ("AD", "A-DEF2", "BNN")
STEPS = 30
"""Full-batch training steps before the Fisher matrix is taken."""


@dataclass(frozen=True)
class Problem:
    """A network with the curvature at its parameters; `origin` says where it comes from."""

    layers: tuple[LayerStatistics, ...]
    gradient: Array
    risk: float
    origin: str

    @property
    def rank_of_an_example(self) -> int:
        """The most that one example adds to the rank of the Fisher matrix."""
        return self.layers[0].K

    @property
    def rank_bound(self) -> int:
        """The most that the rank of the Fisher matrix can be."""
        return self.rank_of_an_example * self.layers[0].n

    @property
    def parameters(self) -> int:
        """Number p of parameters."""
        return int(self.gradient.shape[0])


@dataclass(frozen=True)
class Classifier(Problem):
    """A trained classifier of images."""

    widths: tuple[int, ...]
    accuracy: float

    @property
    def rank_of_an_example(self) -> int:
        """The softmax root of C columns has rank C - 1."""
        return self.widths[-1] - 1


def digits(
    hidden: Sequence[int] = (32, 32),
    examples: int = 256,
    seed: int = 0,
    dtype: str = "float64",
    backend: str = "numpy",
) -> Classifier:
    """Train a tanh classifier on scikit-learn's handwritten digits and collect its statistics.

    Args:
        hidden: widths of the hidden layers.
        examples: number of images from which the Fisher matrix and the gradient are formed.
        seed: of the initial weights and of the choice of examples.
        dtype: "float64" or "float32".
        backend: the array library that computes.

    Raises:
        ImportError: scikit-learn is missing; the message says what to install.
        ValueError: `examples` is not between 1 and the number of images, or a library or dtype is unknown.
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"unknown dtype {dtype!r}: choose float32 or float64")
    images, labels = optional_import("sklearn.datasets", extra="demo").load_digits(return_X_y=True)
    if not 1 <= examples <= len(images):
        raise ValueError(f"examples = {examples}: choose between 1 and {len(images)}, the number of images")
    images = (images / 16).astype(dtype)
    widths = (images.shape[1], *hidden, 10)
    net = numpy_mlp.MLP(widths, activation="tanh", seed=seed, dtype=dtype)
    net = net.train("softmax", images, labels, steps=STEPS, learning_rate=0.01)
    accuracy = float(np.mean(net(images).argmax(axis=1) == labels))
    order = np.random.default_rng(seed).permutation(len(images))[:examples]
    layers, gradient, risk = numpy_mlp.collect(net, "softmax", images[order], labels[order])
    layers, gradient = _moved(layers, gradient, backend)
    shape = "-".join(map(str, widths))
    origin = (
        f"A tanh classifier {shape} on handwritten digits after {STEPS} full-batch steps: accuracy "
        f"{accuracy:.1%}; risk {risk:.4f} on the {examples} images of the Fisher matrix."
    )
    return Classifier(layers, gradient, risk, origin, widths, accuracy)


def recorded(path: str, backend: str = "numpy") -> Problem:
    """Read the statistics of a network from a file, as `kronlin.sources.files` describes it.

    Args:
        path: the file.
        backend: the array library that computes.

    Raises:
        FileFormatError: the file is damaged, or something in it does not fit.
        ImportError: a library is missing; the message says what to install.
        OSError: there is no such file, or it cannot be opened.
        ValueError: the name of the file ends in something else, or the library is unknown.
    """
    layers, gradient, risk = files.read(path)
    layers, gradient = _moved(layers, gradient, backend)
    origin = f"{path}: {len(layers)} layers, {layers[0].n} examples with {layers[0].K} columns each, loss {risk:.4g}."
    return Problem(layers, gradient, risk, origin)


def _moved(
    layers: Sequence[LayerStatistics], gradient: Array, backend: str
) -> tuple[tuple[LayerStatistics, ...], Array]:
    """Carry what a source handed over to an array library."""
    library_named(backend).enable(kind(gradient).dtype_name)
    moved = (
        LayerStatistics(convert(layer.inputs, backend), convert(layer.output_gradients, backend), layer.name)
        for layer in layers
    )
    return tuple(moved), convert(gradient, backend)


def spaces(layers: Sequence[LayerStatistics]) -> dict[str, Callable[[BlockDiagonal], Operator]]:
    """The coarse spaces of the comparison, made from K-FAC's blocks: ten vectors a block, or what the smallest has."""
    k = min(10, *(layer.parameters for layer in layers))
    return {
        "constants": coarse.nicolaides,
        "smallest": partial(coarse.spectral, k=1, which="smallest"),
        f"{k} largest": partial(coarse.spectral, k=k, which="largest"),
    }


def candidates(A: Operator, layers: Sequence[LayerStatistics], lam: float) -> dict[str, Any]:
    """The preconditioners of the comparison: none, K-FAC, and every scheme on every coarse space on top of each.

    Each is a function that starts from the layers' arrays, so that its set-up time is the whole of it.
    """
    chosen = spaces(layers)

    def fine(base: str, blocks: BlockDiagonal) -> Operator:
        return blocks.damped(lam).inverse() if base == "K-FAC" else Identity(A.shape[0], like=A)

    def combined(base: str, space: str, scheme: str) -> Operator:
        blocks = kfac(layers)
        return two_level(A, fine(base, blocks), chosen[space](blocks), scheme)

    def one_shot(base: str, space: str) -> Callable[[Array], Array]:
        blocks = kfac(layers)
        return partial(galerkin_step, A, fine(base, blocks), Galerkin(A, chosen[space](blocks)))

    found: dict[str, Any] = {"none": None, "K-FAC": lambda: fine("K-FAC", kfac(layers))}
    for base in ("I", "K-FAC"):
        for space in chosen:
            for scheme in SCHEMES:
                found[f"{base} + {scheme}, {space}"] = partial(combined, base, space, scheme)
            found[f"{base} + Galerkin step, {space}"] = partial(one_shot, base, space)
    return found


def run(problem: Problem, dampings: Sequence[float], progress: bool = True) -> Iterator[tuple[float, Comparison]]:
    """Compare all candidates at each damping; yields (λ, comparison) as soon as it is done."""
    F = fisher(problem.layers)
    rtol = max(1e-8, 50 * F.kind.eps)
    with _progress_bar() if progress else nullcontext() as bar:
        for lam in dampings:
            A = F.damped(lam)  # made here, so that the factorisation of the one before is released
            rows = candidates(A, problem.layers, lam)
            advance = None if bar is None else partial(_advance, bar, lam, len(rows) * len(dampings))
            yield lam, compare(A, rows, problem.gradient, rtol=rtol, callback=advance)


def _progress_bar() -> Any:
    return optional_import("tqdm", extra="demo").tqdm(unit="row", leave=False)


def _advance(bar: Any, lam: float, total: int, name: str) -> None:
    bar.total = total
    bar.set_postfix_str(f"λ = {lam:g}, {name}")
    bar.update()


def introduction(problem: Problem) -> list[str]:
    """Say what was trained and which system is solved, a sentence a line."""
    p, n = problem.parameters, problem.layers[0].n
    bound = problem.rank_bound
    singular = (
        f"The Fisher matrix has rank at most {problem.rank_of_an_example} · {n} = {bound} of {p}: it is singular, and "
        "only the damping λ makes the system solvable."
        if bound < p
        else f"The Fisher matrix ({p} × {p}) may have full rank; the damping λ bounds its condition."
    )
    return [
        problem.origin,
        singular,
        "Solved is (F + λ I) x = gradient; cond(MA) is right to 1%, a step error of 1 is that of no step at all.",
    ]


def verdict(lam: float, comparison: Comparison) -> str:
    """Say in one sentence which row won, and how the rows without a coarse space did."""
    fastest, nearest = comparison.fastest, comparison.nearest
    plain, one_level = comparison["none"], comparison["K-FAC"]

    def steps(row: Any) -> str:
        return str(row.iterations) if row.converged else f"more than {row.iterations}"

    won = f"{fastest.name} needs the fewest CG steps ({fastest.iterations}" if fastest else "no row converged ("
    return (
        f"λ = {lam:g}: {won}; no preconditioner {steps(plain)}, K-FAC alone {steps(one_level)}), and one step comes "
        f"nearest with {nearest.name} (error {nearest.error:.3g}; K-FAC alone {one_level.error:.3g}, "
        f"{one_level.scaled_error:.3g} at its best length)."
    )
