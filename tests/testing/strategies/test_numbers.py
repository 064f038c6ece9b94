"""The arrays that examples are made of: short entries, and the property that their name says."""

import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from kronlin.testing.strategies import arrays, bases, definite_arrays, dtypes, semidefinite_arrays, shapes, sizes
from tests.matrices import eps

SIZES = st.integers(0, 4)


@given(st.data(), dtypes(), SIZES, SIZES)
def test_entries_are_halves(data, dtype, m, n):
    x = data.draw(arrays(m, n, dtype=dtype))
    assert (x.shape, x.dtype.name) == ((m, n), dtype)
    for part in (x.real, x.imag):
        assert np.all(np.abs(part) <= 2)
        np.testing.assert_array_equal(2 * part, np.round(2 * part))


@given(st.data(), dtypes(), sizes())
def test_no_entry_is_zero_where_that_is_asked(data, dtype, n):
    assert np.all(data.draw(arrays(n, dtype=dtype, nonzero=True)).real != 0)


@given(st.data(), dtypes(), sizes())
def test_definite_arrays_are_definite(data, dtype, n):
    a = data.draw(definite_arrays(n, dtype))
    assert a.dtype == dtype
    np.testing.assert_array_equal(a, a.conj().T)
    assert np.linalg.eigvalsh(a)[0] > 0.9


@given(st.data(), st.sampled_from(["float64", "complex128"]), st.integers(2, 4), st.sampled_from([1e2, 1e8]))
def test_the_condition_number_can_be_chosen(data, dtype, n, condition):
    a = data.draw(definite_arrays(n, dtype, condition=condition))
    assert np.linalg.cond(a) == pytest.approx(condition, rel=1e-6)
    np.testing.assert_array_equal(a, a.conj().T)


@given(st.data(), dtypes(), st.integers(2, 4))
def test_semidefinite_arrays_lack_rank(data, dtype, n):
    a = data.draw(semidefinite_arrays(n, n - 1, dtype))
    np.testing.assert_array_equal(a, a.conj().T)
    lowest = np.linalg.eigvalsh(a)[0]
    assert abs(lowest) <= 100 * eps(dtype) * max(1.0, np.linalg.norm(a))


@given(st.data(), dtypes(), sizes())
def test_bases_are_orthonormal(data, dtype, n):
    r = data.draw(st.integers(0, n))
    q = data.draw(bases(n, r, dtype))
    assert (q.shape, q.dtype.name) == ((n, r), dtype)
    np.testing.assert_allclose(q.conj().T @ q, np.eye(r), atol=20 * eps(dtype))


@given(shapes(3))
def test_shapes_are_small(shape):
    assert all(1 <= side <= 3 for side in shape)


def test_the_simplest_example_is_zero_in_double_precision():
    np.testing.assert_array_equal(find(arrays(2), lambda x: True), np.zeros(2))
    assert find(dtypes(), lambda dtype: True) == "float64"
    assert find(shapes(), lambda shape: True) == (1, 1)
