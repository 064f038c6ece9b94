"""Conditions on shapes, and divisors."""

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from kronlin.testing.strategies._grow import any_shape, divisors, square


@given(st.integers(1, 30), st.data())
def test_divisors_divide(n, data):
    assert n % data.draw(divisors(n)) == 0


@pytest.mark.parametrize("wanted", [1, 2, 3, 6])
def test_every_divisor_is_drawn(wanted):
    assert find(divisors(6), lambda d: d == wanted) == wanted


def test_shapes():
    assert any_shape((2, 3))
    assert square((2, 2))
    assert not square((2, 3))
