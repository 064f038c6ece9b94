"""Columns: what can be read off an operator a few columns at a time, so that no large array is formed."""

from collections.abc import Iterator

from kronlin.algebra.operator import Operator
from kronlin.arrays import Array, conj

CHUNK = 2**22
"""Entries of the largest array that is formed at a time."""


def column_blocks(*operators: Operator) -> Iterator[tuple[slice, list[Array]]]:
    """Go through the columns of operators of one width: which columns, and for each operator their entries."""
    first = operators[0]
    width = first.shape[1]
    step = max(1, CHUNK // max(1, *(operator.shape[0] for operator in operators)))
    eye = first.kind.eye(width)
    for start in range(0, width, step):
        chosen = slice(start, min(start + step, width))
        block = first.kind.xp.broadcast_to(eye[:, chosen], (*first.batch, width, chosen.stop - start))
        yield chosen, [operator._matmat(block) for operator in operators]


def diagonal_of_outer(left: Operator, right: Operator) -> Array:
    """The diagonal Σ_k l_ik conj(r_ik) of L Rᴴ."""
    xp = left.kind.xp
    total = left.kind.zeros(*left.batch, left.shape[0])
    for _, (one, two) in column_blocks(left, right):
        total = total + xp.sum(one * conj(two), axis=-1)
    return total
