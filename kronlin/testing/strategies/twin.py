"""Twin: an operator, the matrix that it is, and how it was written down."""

from functools import cached_property

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import Kind
from kronlin.testing.strategies._numbers import Matrix


class Twin:
    """An operator beside its dense NumPy twin.

    Attributes:
        op: the operator.
        dense: the same matrix as a NumPy array in double precision, formed without kronlin.
        text: the expression that made it, which is what a failing example shows.
        size: a bound on the norms met on the way, to which rounding is relative: it is much larger than ‖dense‖
            where terms cancel.
    """

    def __init__(self, op: Operator, dense: Matrix, text: str, size: float | None = None) -> None:
        self.op = op
        self.dense = dense
        self.text = text
        self.size = float(np.linalg.norm(dense)) if size is None else size

    def __repr__(self) -> str:
        return f"{self.text} [{self.op.kind}]"

    @property
    def kind(self) -> Kind:
        """Library, dtype and device of the operator."""
        return self.op.kind

    @cached_property
    def cancels(self) -> bool:
        """Whether so much of it cancels that its own norm says nothing about rounding."""
        return bool(np.linalg.norm(self.dense) < 1e-3 * self.size)


def shown(x: Matrix) -> str:
    """An array in one line."""
    return np.array2string(x, separator=", ", max_line_width=10**6, floatmode="unique").replace("\n", "")
