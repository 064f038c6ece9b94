"""Where the axes of an array go, through operations that only move them."""

from collections.abc import Sequence

from kronlin.sources.jax._program import Equation

Axes = tuple[int | None, ...]
"""For each axis of an array, the axis of the original that it is; None for one that was added."""

SAME = {"convert_element_type", "copy", "copy_p"}


def follow(equation: Equation, axes: Axes) -> Axes | None:
    """The axes of the result of an operation on an array with these axes; None if it does not only move them."""
    name, params = equation.primitive.name, equation.params
    if name in SAME:
        return axes
    if name == "transpose":
        return tuple(axes[axis] for axis in params["permutation"])
    if name in ("broadcast_in_dim", "reshape", "squeeze", "slice"):
        before, after = (tuple(v.aval.shape) for v in (equation.invars[0], equation.outvars[0]))
        if name == "slice":  # `h[0]` of a single example slices all of it
            return axes if before == after else None
        if name == "broadcast_in_dim":
            return _broadcast(axes, before, after, params["broadcast_dimensions"])
        if name == "squeeze":
            dropped = {axis % len(before) for axis in params["dimensions"]}
            return tuple(axis for place, axis in enumerate(axes) if place not in dropped)
        return None if params.get("dimensions") else _aligned(axes, before, after)
    return None


def _broadcast(axes: Axes, before: Sequence[int], after: Sequence[int], places: Sequence[int]) -> Axes:
    """The old axes at their new places. An axis of length one that is stretched is a new one."""
    result: list[int | None] = [None] * len(after)
    for axis, length, place in zip(axes, before, places, strict=True):
        result[place] = axis if length == after[place] else None
    return tuple(result)


def _aligned(axes: Axes, before: Sequence[int], after: Sequence[int]) -> Axes | None:
    """Axes of length one put in or left out, from the right; None where two shapes differ in more.

    >>> _aligned((0, 1), (4, 3), (1, 4, 1, 3))
    (None, 0, None, 1)
    >>> _aligned((0, 1), (4, 3), (12,))
    """
    result: list[int | None] = []
    i, j = len(before), len(after)
    while i or j:
        if i and j and before[i - 1] == after[j - 1]:
            i, j = i - 1, j - 1
            result.append(axes[i])
        elif i and before[i - 1] == 1:
            i -= 1
        elif j and after[j - 1] == 1:
            j -= 1
            result.append(None)
        else:
            return None
    return tuple(reversed(result))
