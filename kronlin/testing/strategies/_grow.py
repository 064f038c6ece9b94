"""How an expression grows: what a branch is handed, and what it says of the shapes that it can have."""

from collections.abc import Callable
from typing import NamedTuple

from hypothesis import strategies as st

from kronlin.arrays import Kind
from kronlin.testing.strategies.twin import Twin

Shape = tuple[int, int]


class Grow(NamedTuple):
    """The kind of the arrays, and the strategy of the smaller expressions of a shape."""

    kind: Kind
    inner: Callable[[Shape], st.SearchStrategy[Twin]]


def any_shape(shape: Shape) -> bool:
    """No condition."""
    return True


def square(shape: Shape) -> bool:
    """Equally many rows and columns."""
    return shape[0] == shape[1]


class Leaf(NamedTuple):
    """Operators that hold arrays: `make(kind, shape)` is a strategy, for the shapes that fit."""

    make: Callable[[Kind, Shape], st.SearchStrategy[Twin]]
    fits: Callable[[Shape], bool] = any_shape


class Branch(NamedTuple):
    """Operators made of smaller ones: `make(grow, shape)` is a strategy, for the shapes that fit."""

    make: Callable[[Grow, Shape], st.SearchStrategy[Twin]]
    fits: Callable[[Shape], bool] = any_shape


def divisors(n: int) -> st.SearchStrategy[int]:
    """The numbers that divide n."""
    return st.sampled_from([d for d in range(1, n + 1) if n % d == 0])
