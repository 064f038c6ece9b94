"""What coarse spaces share: the blocks that they are built from, and columns that are cut along them."""

from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.arrays import Array
from kronlin.operators import BlockDiagonal, Dense


def as_blocks(blocks: Any) -> BlockDiagonal:
    """Return a square block-diagonal operator; a single operator or array counts as one block."""
    wrapped: Operator = rules.wrap(blocks)
    found = wrapped if isinstance(wrapped, BlockDiagonal) else BlockDiagonal([wrapped])
    if found.rows.sizes != found.columns.sizes:
        raise ValueError(f"a coarse space is built from square blocks, and {found!r} has others")
    return found


def require_same_cuts(one: BlockDiagonal, other: BlockDiagonal, names: str) -> None:
    """Raise unless two block-diagonal operators have blocks of equal sizes; `names` says which two they are."""
    if one.rows.sizes != other.rows.sizes:
        raise ValueError(
            f"{names} must be block diagonal with blocks of equal sizes, not {one.rows.sizes} and {other.rows.sizes}"
        )


def require_columns(k: int, blocks: BlockDiagonal, what: str) -> None:
    """Raise unless every block has room for k independent columns; `what` they are."""
    smallest = min(blocks.rows.sizes)
    if not 1 <= k <= smallest:
        raise ValueError(f"k = {k} {what} a block: choose between 1 and {smallest}, the smallest block's size")


def cut_along(blocks: BlockDiagonal, x: Array) -> BlockDiagonal:
    """diag(X₁, X₂, …) of the rows X_l that X (p, k) has on the blocks: k columns a block, p k numbers in all."""
    pieces = [Dense._make(blocks.rows.gather(x, group)) for group in range(len(blocks.buckets))]
    return BlockDiagonal._make(*pieces, members=blocks.members)
