"""Buckets: what is equal is stacked, what is large or different is left alone."""

import numpy as np

import kronlin as kl
from kronlin.operators.buckets import bucketed


def test_equal_operators_are_stacked_in_their_order():
    operators = [kl.Dense(np.full(shape, float(i))) for i, shape in enumerate([(2, 3), (1, 3), (2, 3)])]
    (stacked, alone), members = bucketed(operators)
    assert members == ((0, 2), (1,))
    assert stacked.array[:, 0, 0].tolist() == [0.0, 2.0]
    assert alone is operators[1]


def test_large_operators_are_left_alone():
    small, large = kl.Dense(np.ones((2, 2))), kl.Dense(np.ones((4, 4)))
    buckets, members = bucketed([small, large, small, large], largest=32)
    assert members == ((0, 2), (1,), (3,))
    assert buckets[1] is large
    assert buckets[2] is large


def test_what_cannot_be_stacked_is_left_alone():
    stacks = [kl.VStack([np.eye(2), np.eye(2)]) for _ in range(2)]
    assert bucketed(stacks) == (stacks, ((0,), (1,)))
