"""The source under test: what it hands over, with other parameters or data, and the words for what is broken."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from kronlin.arrays import Array, Kind, device, kind
from kronlin.arrays._libraries import lookup
from kronlin.curvature import LayerStatistics
from kronlin.sources import Source
from kronlin.sources._loss import Loss
from kronlin.sources._source import Collected, Fisher
from kronlin.testing._case import BrokenLaw, wide

DIRECTIONS = 2
"""Random directions in the parameters of each layer."""


class Trial:
    """A source with a model and a small batch; what is computed from it is on NumPy, in double precision.

    Args:
        collect: the source.
        model: makes the model of a parameter vector.
        parameters: the vector θ at which the laws are checked.
        loss: what the source is given as loss.
        x, y: inputs and labels.
        output: the outputs f of (model, x).
        head: the loss as kronlin knows it, one of all positions; None if it is another.
        scale: the loss is this number times that of `head`.
        twin: what another source hands over, by the kind of its columns.
        rtol: tolerance of what is equal but for rounding.
    """

    def __init__(
        self,
        collect: Source,
        model: Callable[[Array], Any],
        parameters: Array,
        loss: Any,
        x: Array,
        y: Array,
        output: Callable[[Any, Array], Array],
        head: Loss | None,
        scale: float,
        twin: Callable[[Fisher], Collected] | None,
        rtol: float | None,
    ) -> None:
        self.collect, self.model, self.parameters, self.loss, self.x, self.y = collect, model, parameters, loss, x, y
        self.call, self.head, self.scale, self.twin = output, head, scale, twin
        self.kind: Kind = kind(parameters)
        self.theta = wide(parameters)
        self.n = int(x.shape[0])
        eps = float(np.finfo(self.kind.dtype_name).eps)
        self.rtol = 4.5e4 * eps if rtol is None else rtol
        self.step = eps**0.2
        self.quotient_rtol = max(1e3 * eps**0.8, self.rtol)
        self.random = np.random.default_rng(0)

    # What the source hands over

    def vector(self, theta: np.ndarray) -> Array:
        """A parameter vector in the library, the precision and on the device of the given one."""
        return self.kind.library.from_numpy(theta.astype(self.kind.dtype_name), device=self.kind.device)

    def labels(self, y: np.ndarray) -> Array:
        """Labels as the given ones: their library, dtype and device, and class numbers as rows where those are."""
        if y.ndim < self.y.ndim:
            y = np.eye(int(self.y.shape[-1]))[y]
        dtype = str(self.y.dtype).rpartition(".")[2]
        return lookup(self.y)[1].from_numpy(np.ascontiguousarray(y, dtype), device=device(self.y))

    def collected(
        self,
        fisher: Fisher = "type-2",
        theta: np.ndarray | None = None,
        x: Array | None = None,
        y: Array | None = None,
        seed: int = 0,
    ) -> Collected:
        """What the source hands over at θ, for these data and columns."""
        model = self.model(self.parameters if theta is None else self.vector(theta))
        x, y = self.x if x is None else x, self.y if y is None else y
        return self.collect(model, self.loss, x, y, fisher=fisher, seed=seed)

    def example(self, i: int) -> dict[str, Array]:
        """The data of one example, n = 1."""
        return {"x": self.x[i : i + 1, ...], "y": self.y[i : i + 1, ...]}

    def columns(self, fisher: Fisher = "type-2", **data: Any) -> np.ndarray:
        """The root Uᵀ by its definition: (n, K, p), row (i, k) being Σ_s g_isk ⊗ a_is, layer by layer."""
        return columns_of(self.collected(fisher, **data)[0])

    def grams(self, fisher: Fisher = "type-2", **data: Any) -> np.ndarray:
        """Vᵀ U_i U_iᵀ V of each example, (n, m, m), V the directions: the same however the columns are turned."""
        return products(self.columns(fisher, **data) @ self.basis)

    def outputs(self, theta: np.ndarray | None = None) -> np.ndarray:
        """The outputs f of the network at θ."""
        return wide(self.call(self.model(self.parameters if theta is None else self.vector(theta)), self.x))

    @cached_property
    def at_start(self) -> Collected:
        """What the source hands over of type 2 at the given parameters."""
        return self.collected()

    # Derivatives by differences

    @cached_property
    def directions(self) -> list[tuple[str, np.ndarray]]:
        """Unit vectors with entries in one layer alone, each with the words for it."""
        found, start = [], 0
        for j, layer in enumerate(self.at_start[0]):
            for _ in range(DIRECTIONS):
                v = np.zeros(len(self.theta))
                v[start : start + layer.parameters] = self.random.standard_normal(layer.parameters)
                name = j if layer.name is None else repr(layer.name)
                found.append((f"a direction in layer {name}", v / np.linalg.norm(v)))
            start += layer.parameters
        return found

    @property
    def basis(self) -> np.ndarray:
        """The directions as columns (p, m)."""
        return np.stack([v for _, v in self.directions], axis=1)

    def derivative(self, function: Callable[[np.ndarray], Any], v: np.ndarray) -> np.ndarray:
        """The derivative of a function of θ along v, by five points: its error is O(step⁴)."""
        ahead, behind, far, far_behind = (function(self.theta + c * self.step * v) for c in (1, -1, 2, -2))
        return np.asarray((8 * (ahead - behind) - (far - far_behind)) / (12 * self.step))

    # Expectations

    def expect(self, condition: bool, message: str) -> None:
        """Break the law unless `condition`."""
        if not condition:
            raise BrokenLaw(message)

    def expect_close(self, what: str, found: Any, expected: Any, rtol: float | None = None, size: float = 0.0) -> None:
        """Break the law unless every entry is within rtol · max(size, largest entry)."""
        found, expected = np.asarray(found), np.asarray(expected)
        self.expect(found.shape == expected.shape, f"{what} has shape {found.shape}, where {expected.shape} is due")
        size = max(size, float(np.abs(expected).max(initial=0.0)))
        tolerance = (self.rtol if rtol is None else rtol) * size
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(found - expected) <= tolerance)
        if np.any(wrong):
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            index = list(place) if place else ""
            raise BrokenLaw(
                f"{what}{index}: expected {expected[place]:.10g}, got {found[place]:.10g} (tolerance {tolerance:.1e}; "
                f"{int(wrong.sum())} of {wrong.size} entries differ)"
            )


def columns_of(layers: Sequence[LayerStatistics]) -> np.ndarray:
    """(n, K, p), row (i, k) being Σ_s g_isk ⊗ a_is, layer by layer."""
    parts = [np.einsum("nsko,nsi->nkoi", wide(layer.output_gradients), wide(layer.inputs)) for layer in layers]
    return np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2)


def products(seen: np.ndarray) -> np.ndarray:
    """(n, m, m): S_iᵀ S_i of each example, for S (n, K, m)."""
    return seen.swapaxes(1, 2) @ seen
