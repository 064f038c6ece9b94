"""in_rows: operators whose arrays have their entries in the order of their axes."""

from typing import Any

from kronlin.algebra import Operator
from kronlin.arrays import Array, namespace


def in_rows(*operators: Operator) -> tuple[Operator, ...]:
    """The operators with arrays laid out as a file holds them, copies where they were not; what is shared stays so.

    A product with an array in another layout is rounded otherwise, and a run that goes on from a file would not take
    the same steps to the last bit.

    >>> import numpy as np, kronlin as kl
    >>> (A,) = in_rows(kl.Dense(np.ones((2, 3), order="F")))
    >>> A.array.flags.c_contiguous
    True
    """
    memo: dict[Any, Any] = {}
    return tuple(operator._map(_laid_out, memo) for operator in operators)


def _laid_out(x: Array) -> Array:
    xp = namespace(x)
    return xp.reshape(xp.reshape(x, (-1,)), x.shape)
