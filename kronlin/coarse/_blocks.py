"""What coarse spaces ask of the block-diagonal approximation that they are built from."""

from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.operators import BlockDiagonal


def as_blocks(blocks: Any) -> BlockDiagonal:
    """Return a square block-diagonal operator; a single operator or array counts as one block."""
    wrapped: Operator = rules.wrap(blocks)
    found = wrapped if isinstance(wrapped, BlockDiagonal) else BlockDiagonal([wrapped])
    if found.rows.sizes != found.columns.sizes:
        raise ValueError(f"a coarse space is built from square blocks, and {found!r} has others")
    return found
