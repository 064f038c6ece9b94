"""Plain values there and back, exactly."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.storage._values import decode, encode

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(st.characters(codec="utf-8"))
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple)), max_leaves=8
)


def there_and_back(value):
    arrays = []

    def store(array):
        arrays.append(array)
        return len(arrays) - 1

    return decode(json.loads(json.dumps(encode(value, store), allow_nan=False)), arrays.__getitem__)


def same(one, two):
    """Equal in type and in every bit but the payload of a NaN."""
    if type(one) is not type(two):
        return False
    if isinstance(one, tuple | list):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, complex):
        return same(one.real, two.real) and same(one.imag, two.imag)
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(two)) or (one == two and math.copysign(1, one) == math.copysign(1, two))
    return one == two


@given(VALUES)
def test_values_survive(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("value", [-0.0, 0.1, 5e-324, math.inf, math.nan, complex(math.nan, -0.0), 2**80, (), ((1,),)])
def test_odd_ones_survive(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize(
    ("value", "plain"), [(np.float32(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True), (np.complex64(1j), 1j)]
)
def test_numbers_of_numpy_become_plain(value, plain):
    assert same(there_and_back(value), plain)


def test_arrays_are_handed_on():
    x = np.arange(3)
    found = there_and_back((1, [x, "text"]))
    assert found[1][0] is x


@pytest.mark.parametrize("value", [len, object(), {"a": 1}, {1}, b"bytes", slice(1)], ids=type)
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(TypeError, match=f"^{type(value).__name__}$"):
        encode([value], len)


@pytest.mark.parametrize("value", [{}, {"a": 1, "b": 2}, {"code": "1 + 1"}, {"float": "one"}], ids=str)
def test_what_is_not_ours_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        decode(value, [].__getitem__)
