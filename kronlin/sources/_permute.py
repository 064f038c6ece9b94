"""Permute and Flatten: the entries of an example in other axes."""

import math
from dataclasses import dataclass

import numpy as np

from kronlin.sources._activations import Floats
from kronlin.sources._stage import Shape, Trace, Weightless


@dataclass(frozen=True)
class Permute(Weightless):
    """The axes of an example in another order, counted without that of the examples.

    `Permute((1, 2, 0))` brings the channels of an image (C, H, W) to the end, where a `Linear` layer acts and where
    the softmax loss expects the classes.

    Args:
        axes: a permutation of 0, 1, …, as in `numpy.transpose`.

    Raises:
        ValueError: `axes` is no permutation.

    >>> from kronlin.sources.numpy_mlp import Linear, Permute, Sequential
    >>> Sequential((2, 8, 6), [Permute((1, 2, 0)), Linear(10)])(np.zeros((5, 2, 8, 6))).shape
    (5, 8, 6, 10)
    """

    axes: tuple[int, ...]

    def __post_init__(self) -> None:
        if sorted(self.axes) != list(range(len(self.axes))):
            raise ValueError(f"axes = {self.axes} is no permutation of 0, …, {len(self.axes) - 1}")

    def require(self, shape: Shape) -> None:
        if len(shape) != len(self.axes):
            raise ValueError(f"an example has shape {shape} here, axes = {self.axes} need {len(self.axes)} dimensions")

    def value(self, h: Floats) -> Floats:
        return h.transpose(0, *(axis + 1 for axis in self.axes))

    def carry(self, columns: Floats, trace: Trace) -> Floats:
        return columns.transpose(0, 1, *(int(axis) + 2 for axis in np.argsort(self.axes)))


@dataclass(frozen=True)
class Flatten(Weightless):
    """An example of any shape as one vector, its entries row by row.

    >>> from kronlin.sources.numpy_mlp import Flatten, Sequential, Linear
    >>> Sequential((2, 4, 3), [Flatten(), Linear(10)])(np.zeros((5, 2, 4, 3))).shape
    (5, 10)
    """

    def require(self, shape: Shape) -> None:
        """Every shape fits."""

    def value(self, h: Floats) -> Floats:
        return h.reshape(len(h), math.prod(h.shape[1:]))

    def carry(self, columns: Floats, trace: Trace) -> Floats:
        return columns.reshape(*columns.shape[:2], *trace.inputs.shape[1:])
