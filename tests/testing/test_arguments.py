"""The simplest argument that breaks a law is the one that is shown."""

import numpy as np
import pytest

from kronlin.testing._arguments import shown, simple_arguments, simplest
from kronlin.testing._case import BrokenLaw


def test_a_law_that_holds_is_called_once():
    calls = []
    simplest("x", calls.append, np.ones(3))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("broken_for", "line"),
    [
        (lambda x: True, r"x = \[0., 0., 0.\]"),
        (lambda x: x[1] != 0, r"x = \[0., 1., 0.\]"),
        (lambda x: x[1] * x[2] != 0, r"x = \[7., 7., 7.\]"),
    ],
)
def test_the_simplest_is_shown(broken_for, line):
    def law(x):
        if broken_for(x):
            raise BrokenLaw("no")

    with pytest.raises(BrokenLaw, match=f"^no\n  {line}$"):
        simplest("x", law, np.full(3, 7.0))


def test_an_error_of_the_operator_becomes_a_broken_law_with_its_cause():
    def law(x):
        raise IndexError("too far")

    with pytest.raises(BrokenLaw, match=r"^IndexError: too far\n  b = ") as caught:
        simplest("b", law, np.ones(2))
    assert isinstance(caught.value.__cause__, IndexError)


def test_simple_arguments_are_zero_and_the_unit_vectors():
    assert [x.tolist() for x in simple_arguments((2,))] == [[0, 0], [1, 0], [0, 1]]
    assert [x.tolist() for x in simple_arguments((2, 2))] == [[[0, 0], [0, 0]], [[1, 0], [0, 0]], [[0, 0], [1, 0]]]
    assert len(list(simple_arguments((0,)))) == len(list(simple_arguments((3, 0)))) == 1
    assert len(list(simple_arguments((10**4,)))) == 65


def test_small_arguments_are_shown_in_full_and_large_ones_by_shape():
    assert shown("x", np.array([[1.0, 2.0]])) == "\n  x = [[1., 2.]]"
    assert shown("x", np.zeros((4, 0))) == "\n  x = [] of shape (4, 0)"
    unit = np.zeros((9, 2))
    assert shown("X", unit) == "\n  X is zero, of shape (9, 2)"
    unit[3, 0] = 1
    assert shown("X", unit) == "\n  X of shape (9, 2) is 1 at [3, 0], 0 elsewhere"
    assert shown("X", unit + 1) == "\n  X is random, of shape (9, 2)"
