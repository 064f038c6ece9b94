"""SquaredModuli: |a_ij|² of an operator that is known by its products."""

from kronlin.algebra import Operator, rules
from kronlin.algebra.columns import column_blocks
from kronlin.arrays import Array, abs2, cast, kind


class SquaredModuli(Operator):
    """The matrix of squared moduli |a_ij|² of A, formed a few columns at a time whenever it is applied.

    A product costs one product with A for each of its columns; meant for tall A. It keeps real vectors real, whatever
    A is.

    >>> import numpy as np, kronlin as kl
    >>> SquaredModuli(kl.Dense(np.array([[1.0, -2.0]]))) @ np.array([1.0, 1.0])
    array([5.])
    """

    def __init__(self, base: Operator) -> None:
        self.base = base
        self._define(base, shape=base.shape, batch=base.batch)

    def _matmat(self, x: Array) -> Array:
        total = kind(x).zeros(*x.shape[:-2], self.shape[0], x.shape[-1])
        for chosen, (block,) in column_blocks(self.base):
            total = total + cast(abs2(block), kind(x)) @ x[..., chosen, :]
        return total

    def _rmatmat(self, y: Array) -> Array:
        xp = kind(y).xp
        blocks = (block for _, (block,) in column_blocks(self.base))
        return xp.concat([xp.matrix_transpose(cast(abs2(block), kind(y))) @ y for block in blocks], axis=-2)


@rules.to_dense.register(SquaredModuli)
def squared_moduli_to_dense(a: SquaredModuli) -> Array:
    """Square the entries."""
    return cast(abs2(a.base.to_dense()), a.kind)
