"""Work on several operators that do not depend on each other, handed to their array library together."""

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

from kronlin.algebra.structure import Structure


def side_by_side(function: Callable[[Any], Any], operators: Sequence[Structure]) -> list[Any]:
    """Return function(A) for each operator, in order; for functions that factor: a library may use threads or streams.

    >>> import numpy as np, kronlin as kl
    >>> side_by_side(lambda A: A.prepare().shape, [kl.Dense(np.eye(2)), kl.Dense(np.eye(3))])
    [(2, 2), (3, 3)]
    """
    if len(operators) < 2:
        return [function(operator) for operator in operators]
    calls = [partial(function, operator) for operator in operators]
    return operators[0].kind.library.concurrently(calls, [factoring_cost(operator) for operator in operators])


def factoring_cost(a: Structure) -> float:
    """About how many multiplications it takes to factor the arrays of an operator: n³ for a matrix."""
    return float(sum(prod(array.shape) * min(array.shape[-2:]) for array in a._arrays() if array.ndim > 1))
