"""What the tests of the strategies share: whether a type of operator can be drawn, and the quick laws."""

import numpy as np
from hypothesis import HealthCheck, Phase, find, settings

from kronlin.arrays import kind_named
from kronlin.testing.strategies._grow import Branch, Grow, Shape
from kronlin.testing.strategies._leaves import leaves
from kronlin.testing.strategies.twin import Twin
from tests.testing.long_run import check

REAL, COMPLEX = kind_named("float64"), kind_named("complex128")
SETTLED = settings(max_examples=3000, derandomize=True, database=None, phases=[Phase.generate])
QUICK = settings(suppress_health_check=list(HealthCheck), max_examples=20)


def draw_one(strategy, condition) -> Twin:
    """The first example that fulfils a condition; an error if there is none among many."""
    return find(strategy, condition, settings=SETTLED)


def over_leaves(branch: Branch, kind, shape: Shape):
    """The expressions of one branch over operators that hold arrays."""
    return branch.make(Grow(kind, lambda inner: leaves(kind, inner)), shape)


def check_branch(branch: Branch, kind, data, shape: Shape) -> None:
    """What is drawn from a branch obeys the quick laws; a square where it makes only those."""
    shape = shape if branch.fits(shape) else (shape[0] + 1, shape[0] + 1)
    check_twin(data.draw(over_leaves(branch, kind, shape)), kind, shape)


def check_text(branch: Branch) -> None:
    """The text of a twin shows what was made, and its repr the kind."""
    twin = draw_one(over_leaves(branch, REAL, (2, 2)), lambda twin: twin.dense.any())
    assert "(" in twin.text or twin.text.endswith((".H", ".T")) or "*" in twin.text
    assert "numpy float64" in repr(twin)


def check_twin(twin: Twin, kind, shape: Shape) -> None:
    """It is what was asked for, and obeys the quick laws."""
    assert twin.op.kind == kind
    assert twin.op.shape == twin.dense.shape == shape
    with np.errstate(all="ignore"):
        check(twin)
