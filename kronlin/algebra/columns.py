"""Columns: what can be read off an operator a few columns at a time, so that no large array is formed."""

from collections.abc import Iterator
from math import prod

from kronlin.algebra import rules
from kronlin.algebra.operator import Operator
from kronlin.arrays import Array, conj, pieces


def column_blocks(*operators: Operator) -> Iterator[tuple[slice, list[Array]]]:
    """Go through the columns of operators of one width: which columns, and for each operator their entries.

    As many at a time as the memory limit allows, for the entries and as many again for what is made of them, and for
    their share of the arrays from which they are taken.
    """
    first = operators[0]
    width = first.shape[1]
    rows = prod(first.batch) * sum(operator.shape[0] for operator in operators)
    held = sum(operator.nbytes for operator in operators) // (first.kind.itemsize * max(1, width))
    for chosen in pieces(width, 2 * (rows + held), first.kind):
        if chosen == slice(0, width):
            yield chosen, [operator.to_dense() for operator in operators]
        else:
            places = list(range(chosen.start, chosen.stop))
            yield chosen, [rules.columns(operator, places).to_dense() for operator in operators]


def diagonal_of_outer(left: Operator, right: Operator) -> Array:
    """The diagonal Σ_k l_ik conj(r_ik) of L Rᴴ."""
    xp = left.kind.xp
    total = left.kind.zeros(*left.batch, left.shape[0])
    for _, (one, two) in column_blocks(left, right):
        total = total + xp.sum(one * conj(two), axis=-1)
    return total
