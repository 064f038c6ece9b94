"""Iterative refinement: win back the digits that a fast solution has lost."""

from collections.abc import Callable

from kronlin.algebra import Operator
from kronlin.arrays import Array, root_sum_squares


def refined(a: Operator, solve: Callable[[Array], Array], b: Array, steps: int = 1) -> Array:
    """x ← x + S (b - A x) from x = S b, S an inexact inverse of A; a step is kept if it halves a column's residual.

    Args:
        a: A (n, n).
        solve: S, a function of blocks (..., n, k).
        b: the right-hand sides (..., n, k).
        steps: how many at most; each costs a product with A and one with S.

    Source: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), chapter 12.
    """
    xp = a.kind.xp
    x = solve(b)
    if not steps:
        return x
    residual = b - a._matmat(x)
    size = root_sum_squares(residual, axis=-2)
    for _ in range(steps):
        better = x + solve(residual)
        rest = b - a._matmat(better)
        smaller = root_sum_squares(rest, axis=-2)
        gain = smaller < size / 2
        if not bool(xp.any(gain)):
            break
        kept = gain[..., None, :]
        x, residual = xp.where(kept, better, x), xp.where(kept, rest, residual)
        size = xp.where(gain, smaller, size)
    return x
