"""Nested random operators: every structure and every expression, over leaves that hold arrays."""

from functools import lru_cache

from hypothesis import strategies as st

from kronlin.arrays import Kind
from kronlin.testing.strategies._grow import Grow, Shape
from kronlin.testing.strategies._kinds import kinds
from kronlin.testing.strategies._lazy import EXPRESSIONS
from kronlin.testing.strategies._leaves import leaves
from kronlin.testing.strategies._numbers import shapes
from kronlin.testing.strategies._structures import STRUCTURES
from kronlin.testing.strategies.twin import Twin

LEAF_SHARE = 3
"""Choices of a leaf beside the fifteen branches, so that most expressions are nested."""

LARGEST = 1e8
"""Bound on the norms of an expression, and on their reciprocals."""


@st.composite
def operators(
    draw: st.DrawFn,
    *,
    kind: st.SearchStrategy[Kind] | None = None,
    shape: st.SearchStrategy[Shape] | None = None,
    depth: int = 3,
) -> Twin:
    """Random operators with their dense twin: expressions of at most `depth` levels over operators that hold arrays.

    Args:
        draw: given by Hypothesis.
        kind: of the arrays; NumPy in any of the four dtypes if None.
        shape: of the operator; up to 4×4 if None.
        depth: 0 draws leaves only.

    >>> from hypothesis import find
    >>> twin = find(operators(), lambda twin: True)
    >>> twin.op.shape == twin.dense.shape
    True
    """
    chosen = draw(kinds() if kind is None else kind)
    return draw(expressions(chosen, draw(shapes() if shape is None else shape), depth))


@lru_cache(maxsize=4096)
def expressions(kind: Kind, shape: Shape, depth: int) -> st.SearchStrategy[Twin]:
    """Operators of one kind and shape, leaves first."""
    if depth == 0:
        return leaves(kind, shape)
    grow = Grow(kind, lambda inner: expressions(kind, inner, depth - 1))
    branches = [branch.make(grow, shape) for branch in (*STRUCTURES, *EXPRESSIONS) if branch.fits(shape)]
    return st.one_of(*[leaves(kind, shape)] * LEAF_SHARE, *branches).filter(is_moderate)


def is_moderate(twin: Twin) -> bool:
    """Whether single precision can still square it, and its inverse: powers of powers grow and shrink quickly."""
    return twin.size < LARGEST and (twin.size > 1 / LARGEST or not twin.size)
