"""SegmentSums: rows that share a place are added, in pairs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kronlin.arrays import kind
from kronlin.operators.segments import SegmentSums
from tests.matrices import normal


@given(st.lists(st.integers(0, 4), max_size=20), st.integers(5, 7), st.integers(0, 2), st.integers(0, 99))
def test_sums_are_those_of_a_loop(places, n, m, seed):
    y = normal((len(places), m), seed=seed)
    expected = np.zeros((n, m))
    for place, row in zip(places, y, strict=True):
        expected[place] += row
    np.testing.assert_allclose(SegmentSums(places, n, kind(y))(y), expected, atol=1e-13)


def test_on_every_library_and_in_stacks(lib):
    y = np.arange(12, dtype="float32").reshape(2, 3, 2)
    got = SegmentSums([1, 1, 3], 4, kind(lib.asarray(y)))(lib.asarray(y))
    assert lib.owns(got)
    expected = np.zeros((2, 4, 2), "float32")
    expected[:, 1], expected[:, 3] = y[:, 0] + y[:, 1], y[:, 2]
    np.testing.assert_array_equal(lib.numpy(got), expected)


def test_many_small_numbers_do_not_vanish_beside_one_another():
    y = np.full((2**16, 1), 0.1, dtype="float32")
    got = SegmentSums([0] * len(y), 1, kind(y))(y)
    assert got.dtype == "float32"
    assert abs(float(got[0, 0]) / (len(y) * float(np.float32(0.1))) - 1) < 1e-6


def test_a_place_without_rows_gets_zero_and_nothing_leaks_between_places():
    y = np.array([[np.nan], [1.0], [2.0]])
    np.testing.assert_array_equal(SegmentSums([0, 1, 1], 3, kind(y))(y)[:, 0], [np.nan, 3.0, 0.0])
