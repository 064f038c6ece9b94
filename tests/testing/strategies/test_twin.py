"""Twin: what a failing example shows, and when its norm says nothing."""

import numpy as np

import kronlin as kl
from kronlin.testing.strategies import Twin
from kronlin.testing.strategies.twin import shown


def test_it_shows_the_expression_and_the_kind():
    twin = Twin(kl.Dense(np.eye(2, dtype="float32")), np.eye(2), "Dense(I)")
    assert repr(twin) == "Dense(I) [numpy float32]"
    assert twin.kind == twin.op.kind
    assert twin.size == np.sqrt(2)


def test_cancellation_is_noticed():
    zero = kl.Zero((2, 2), dtype="float64")
    assert Twin(zero, np.zeros((2, 2)), "A - A", size=3.0).cancels
    assert not Twin(zero, np.zeros((2, 2)), "Zero").cancels
    assert not Twin(kl.Dense(np.eye(2)), np.eye(2), "I", size=4.0).cancels


def test_arrays_are_shown_in_one_line():
    assert shown(np.array([[1.0, 0.5], [0.0, -2.0]])) == "[[ 1. ,  0.5], [ 0. , -2. ]]"
