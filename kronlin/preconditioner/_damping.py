"""Damping of a training run: a number, one a layer, or a controller that moves it."""

from collections.abc import Sequence
from typing import Any, cast

from kronlin.curvature import LevenbergMarquardt
from kronlin.curvature._blockwise import is_one, one_each

Damping = float | tuple[float, ...]


def checked(value: Any) -> Damping | LevenbergMarquardt:
    """A controller as it is, a number as a float, several as a tuple.

    Raises:
        ValueError: a number is not positive and finite.

    >>> checked(1), checked([1, 2])
    (1.0, (1.0, 2.0))
    """
    if isinstance(value, LevenbergMarquardt):
        return value
    numbers = one_each(value, 1 if is_one(value) else len(cast(Sequence[float], value)))
    if min(numbers, default=0) <= 0:
        raise ValueError(f"damping must be positive, not {value!r}: the curvature of few examples is singular")
    return numbers[0] if is_one(value) else tuple(numbers)


def in_force(damping: Damping | LevenbergMarquardt) -> Damping:
    """λ, one number or one a layer."""
    return damping.lam if isinstance(damping, LevenbergMarquardt) else damping


def watches(damping: Damping | LevenbergMarquardt, step: int) -> bool:
    """Whether the damping asks for what this step does to the loss."""
    return isinstance(damping, LevenbergMarquardt) and damping.due(step)
