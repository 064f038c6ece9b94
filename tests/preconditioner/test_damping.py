"""The damping of a run: what is taken, and what of it is in force."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.preconditioner._damping import checked, in_force, watches


@pytest.mark.parametrize(
    ("given", "found"),
    [(1, 1.0), (np.float32(0.5), 0.5), (np.array(2.0), 2.0), ([1, 2], (1.0, 2.0)), (np.array([3.0]), (3.0,))],
)
def test_numbers(given, found):
    assert checked(given) == found
    assert in_force(checked(given)) == found
    assert not watches(checked(given), 1)


def test_controller():
    damping = kl.LevenbergMarquardt(2.0, interval=3)
    assert checked(damping) is damping
    assert in_force(damping) == 2.0
    assert [step for step in range(1, 8) if watches(damping, step)] == [3, 6]


@pytest.mark.parametrize("given", [0, -1.0, float("nan"), float("inf"), [1.0, 0.0], [], "1"])
def test_what_is_not_positive_is_refused(given):
    with pytest.raises(ValueError, match="damping must be"):
        checked(given)
