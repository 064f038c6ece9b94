"""Every coarse space on a small net, with what its definition asks for."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from kronlin import coarse
from kronlin.algebra import Operator
from kronlin.curvature import LayerStatistics, block_diagonal_fisher, fisher, kfac
from tests.libraries import NUMPY, ArrayLibrary
from tests.nets import tiny_layers


class Level:
    """The fine level of a net: its layers, A = F + λ I, the K-FAC blocks K, M = (K + λ I)⁻¹, and a right-hand side."""

    def __init__(self, layers: list[LayerStatistics], lam: float = 0.1, lib: ArrayLibrary = NUMPY) -> None:
        self.layers = layers
        self.A = fisher(layers).damped(lam)
        self.exact = block_diagonal_fisher(layers).damped(lam)
        self.K = kfac(layers)
        self.M = self.K.damped(lam).inverse()
        self.sizes = [layer.parameters for layer in layers]
        self.b = lib.asarray(np.linspace(-1, 2, sum(self.sizes)) ** 3, self.K.kind.dtype_name)

    @property
    def halves(self) -> list[int]:
        """Labels that sort the examples into two groups."""
        return [i % 2 for i in range(self.layers[0].n)]


@cache
def tiny_level(lib: ArrayLibrary, dtype: str) -> Level:
    """One small level a library and dtype, made once."""
    return Level(tiny_layers(lib, dtype), lib=lib)


SPACES: dict[str, Callable[[Level], Any]] = {
    "nicolaides": lambda level: coarse.nicolaides(level.K),
    "rows": lambda level: coarse.aggregation(level.K, "rows"),
    "columns": lambda level: coarse.aggregation(level.M, "columns"),
    "weights and bias": lambda level: coarse.aggregation(level.K, "layer", bias=True),
    "tiles": lambda level: coarse.aggregation(level.K, (2, 2)),
    "smallest": lambda level: coarse.spectral(level.K, 2),
    "largest": lambda level: coarse.spectral(level.K, 2, "largest"),
    "mismatch": lambda level: coarse.mismatch(level.exact, level.M, 2),
    "mismatch ratio": lambda level: coarse.mismatch(level.exact, level.M, 2, "ratio"),
    "gradient": lambda level: coarse.gradients(level.layers),
    "groups": lambda level: coarse.gradients(level.layers, level.halves),
    "orthogonal groups": lambda level: coarse.gradients(level.layers, level.halves, orthogonal=True),
    "residual": lambda level: coarse.residual(level.K, level.A, level.M, level.b),
    "krylov-nicolaides": lambda level: coarse.krylov(level.K, level.M, depth=3),
    "krylov-residual": lambda level: coarse.krylov(level.K, level.M, level.b, depth=2),
    "random": lambda level: coarse.random(level.K, 2),
    "ritz": lambda level: coarse.ritz(level.A, 3, level.M, "largest"),
    "array": lambda level: np.random.default_rng(0).standard_normal((level.A.shape[0], 4)),
}


def dense(Z: Any) -> np.ndarray:
    """A coarse space as an array of NumPy."""
    return Z.to_dense() if isinstance(Z, Operator) else Z


def pieces(sizes: list[int], x: np.ndarray) -> list[np.ndarray]:
    """Cut the rows of an array along blocks."""
    return np.split(x, np.cumsum(sizes)[:-1])


def on_blocks(columns: list[np.ndarray]) -> np.ndarray:
    """diag(X₁, X₂, …) by its definition."""
    Z = np.zeros((sum(len(x) for x in columns), sum(x.shape[1] for x in columns)), columns[0].dtype)
    row = column = 0
    for x in columns:
        Z[row : row + x.shape[0], column : column + x.shape[1]] = x
        row, column = row + x.shape[0], column + x.shape[1]
    return Z


def projector(columns: np.ndarray) -> np.ndarray:
    """The orthogonal projector onto the range of independent columns."""
    q = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))[0]
    return q @ q.conj().T
