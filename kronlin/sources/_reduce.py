"""Reduce: the mean or the sum over positions."""

import math
from dataclasses import dataclass

import numpy as np

from kronlin.sources._activations import Floats
from kronlin.sources._stage import Shape, Trace, Weightless


@dataclass(frozen=True)
class Reduce(Weightless):
    """The mean or the sum over some axes of an example, at the end of a network or in the middle.

    `h̄ = (1/S) Σ_s h_s` or `Σ_s h_s`. Of a sequence (S, d) the positions are axis 0, of an image (C, H, W) they are
    (1, 2).

    Args:
        how: "mean" or "sum".
        axis: one axis or several, counted without that of the examples; -1 is the last.

    Raises:
        ValueError: `how` is unknown.

    >>> from kronlin.sources.numpy_mlp import Linear, Reduce, Sequential
    >>> Sequential((7, 4), [Linear(3), Reduce("mean", axis=0), Linear(2)])(np.zeros((5, 7, 4))).shape
    (5, 2)
    """

    how: str
    axis: int | tuple[int, ...]

    def __post_init__(self) -> None:
        if self.how not in ("mean", "sum"):
            raise ValueError(f"unknown reduction {self.how!r}: choose one of 'mean', 'sum'")

    def _axes(self, dimensions: int) -> tuple[int, ...]:
        """The axes counted from the front, in increasing order."""
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return tuple(sorted(axis + dimensions if axis < 0 else axis for axis in axes))

    def require(self, shape: Shape) -> None:
        axes = self._axes(len(shape))
        if not axes or len(set(axes)) < len(axes) or min(axes) < 0 or max(axes) >= len(shape):
            raise ValueError(f"an example has shape {shape} here: axis = {self.axis} must name some of its axes, once")
        if len(axes) == len(shape):
            raise ValueError(f"axis = {self.axis} would leave a single number of an example of shape {shape}")

    def value(self, h: Floats) -> Floats:
        axes = tuple(axis + 1 for axis in self._axes(h.ndim - 1))
        return np.asarray(h.mean(axis=axes) if self.how == "mean" else h.sum(axis=axes))

    def carry(self, columns: Floats, trace: Trace) -> Floats:
        """Every position receives the column, over S for a mean."""
        shape = trace.inputs.shape[1:]
        axes = self._axes(len(shape))
        if self.how == "mean":
            columns = columns / columns.dtype.type(math.prod(shape[axis] for axis in axes))
        columns = np.expand_dims(columns, tuple(axis + 2 for axis in axes))
        return np.broadcast_to(columns, (*columns.shape[:2], *shape))
