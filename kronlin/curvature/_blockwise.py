"""What the dampings share: one λ a block, checked, and which factors can be damped."""

from collections.abc import Callable
from math import isfinite
from typing import Any

from kronlin.algebra import Operator, Scaled, rules, scalar
from kronlin.operators import BlockDiagonal, Kronecker


def blockwise(F: Any, lam: Any, damp: Callable[[Operator, float], Operator]) -> Operator:
    """Apply damp(F, λ), to a block-diagonal F block by block; its blocks and their cuts stay.

    Raises:
        ValueError: as `one_each`.

    >>> import numpy as np
    >>> F = BlockDiagonal([np.eye(1), np.eye(2)])
    >>> blockwise(F, [1.0, 2.0], lambda block, lam: block.damped(lam)).diagonal()
    array([2., 3., 3.])
    """
    F = rules.wrap(F)
    if not isinstance(F, BlockDiagonal):
        return damp(F, checked_damping(lam))
    pairs = zip(F.blocks, one_each(lam, len(F.blocks)), strict=True)
    return BlockDiagonal.of_blocks(blockwise(block, number, damp) for block, number in pairs)


def is_one(lam: Any) -> bool:
    """Whether this is meant as one λ for all blocks."""
    return scalar(lam) is not None or not hasattr(lam, "__len__")


def one_each(lam: Any, count: int) -> list[float]:
    """One checked λ a block.

    Raises:
        ValueError: λ is negative or not finite, or there are not as many as blocks.
    """
    if is_one(lam):
        return [checked_damping(lam)] * count
    numbers = [checked_damping(each) for each in lam]
    if len(numbers) != count:
        raise ValueError(f"lam has {len(numbers)} entries for {count} blocks: pass one number, or one a block")
    return numbers


def checked_damping(lam: Any) -> float:
    """Return λ as a number, or say what is wrong with it."""
    number = scalar(lam)
    if number is None or isinstance(number, complex) or not (isfinite(number) and number >= 0):
        raise ValueError(f"damping must be a finite number that is not negative, not {lam!r}")
    return float(number)


def is_product(term: Operator) -> bool:
    """Whether a term is a Kronecker product, or a multiple of one."""
    return isinstance(term.base if isinstance(term, Scaled) else term, Kronecker)


def require_square_factors(K: Kronecker) -> None:
    """Refuse factors to which no multiple of I can be added."""
    if any(factor.shape[0] != factor.shape[1] for factor in K.factors):
        raise ValueError(f"{K!r} has a factor that is not square, to which no multiple of I can be added")


def no_factors(F: Operator) -> ValueError:
    """Word the error for an operator without factors that can be damped."""
    return ValueError(
        f"{F!r} is no Kronecker product, nor a sum in which one is known to be psd, so no factors can be damped: use "
        "F.damped(lam), which adds exactly lam I, or promise kronlin.assume(factor, 'psd') where it holds"
    )
