"""Buckets: equal operators, stacked, so that each rule runs once for all of them."""

from collections.abc import Iterable
from typing import Any

from kronlin.algebra import Operator
from kronlin.algebra.structure import stack


def bucketed(
    operators: Iterable[Operator], largest: float = float("inf")
) -> tuple[list[Operator], tuple[tuple[int, ...], ...]]:
    """Stack operators of equal signature; return the stacks, and the positions of the members of each.

    Args:
        operators: in any order.
        largest: bytes above which an operator is left alone.
    """
    operators = list(operators)
    groups: dict[Any, list[int]] = {}
    for position, operator in enumerate(operators):
        signature = operator._signature() if operator.nbytes <= largest else None
        groups.setdefault(("alone", position) if signature is None else signature, []).append(position)
    stacked = [stack([operators[i] for i in members]) for members in groups.values()]
    return stacked, tuple(tuple(members) for members in groups.values())
