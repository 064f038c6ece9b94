"""Small array functions against NumPy, on every library, for every dtype."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import arrays
from kronlin.arrays import kind
from tests.libraries import NUMPY, STRICT, STRICT_DEVICE, fast, installed
from tests.matrices import DTYPES, each_dtype, normal
from tests.nets import close

REAL_OF = {"complex64": "float32", "complex128": "float64"}


def check(lib, found, wanted, dtype):
    """Value, dtype and device."""
    assert lib.owns(found)
    assert kind(found).dtype_name == dtype
    close(lib.numpy(found), np.asarray(wanted), 4 * np.finfo(dtype).eps)


@each_dtype()
def test_one_array_in_one_out(lib, dtype):
    x = normal((2, 3, 3), dtype)
    given = lib.asarray(x)
    before = lib.numpy(given)
    real = REAL_OF.get(dtype, dtype)
    check(lib, arrays.conj(given), x.conj(), dtype)
    check(lib, arrays.adjoint(given), np.swapaxes(x, 1, 2).conj(), dtype)
    check(lib, arrays.abs2(given), np.abs(x) ** 2, real)
    check(lib, arrays.hermitian_part(given), (x + np.swapaxes(x, 1, 2).conj()) / 2, dtype)
    check(lib, arrays.diagonal_of(given), np.diagonal(x, axis1=1, axis2=2), dtype)
    assert arrays.max_abs(given) == pytest.approx(np.abs(x).max(), rel=1e-6)
    assert isinstance(arrays.max_abs(given), float)
    for axis in (-1, 0, (0, 2)):
        check(lib, arrays.root_sum_squares(given, axis=axis), np.sqrt((np.abs(x) ** 2).sum(axis=axis)), real)
    assert np.array_equal(lib.numpy(given), before)


def test_conj_of_a_real_array_is_that_array(lib):
    x = lib.asarray([1.0, 2.0])
    assert arrays.conj(x) is x


def test_rectangular_diagonal_and_adjoint(lib):
    x = normal((2, 3), "complex128")
    close(lib.numpy(arrays.diagonal_of(lib.asarray(x))), np.diagonal(x), 0)
    close(lib.numpy(arrays.adjoint(lib.asarray(x))), x.conj().T, 0)


@each_dtype()
def test_hermitian_part_is_hermitian_to_the_last_bit(lib, dtype):
    part = lib.numpy(arrays.hermitian_part(lib.asarray(normal((5, 5), dtype))))
    assert np.array_equal(part, part.conj().T)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, complex(0, np.nan), complex(np.inf, 0)])
def test_all_finite_sees_one_entry(lib, bad):
    x = normal((2, 3), "complex128" if isinstance(bad, complex) else "float64")
    assert arrays.all_finite(lib.asarray(x)) is True
    x[1, 2] = bad
    assert arrays.all_finite(lib.asarray(x)) is False


def test_empty_arrays(lib):
    empty = lib.asarray(np.zeros((0, 3)))
    assert arrays.all_finite(empty) is True
    assert arrays.max_abs(empty) == 0.0
    assert np.array_equal(lib.numpy(arrays.root_sum_squares(empty, axis=0)), np.zeros(3))
    assert lib.numpy(arrays.root_sum_squares(empty, axis=1)).shape == (0,)


@pytest.mark.parametrize(
    ("size", "dtype"), [(1e200, "float64"), (1e-200, "float64"), (1e30, "float32"), (1e-30, "float32")]
)
def test_root_sum_squares_neither_overflows_nor_underflows(lib, size, dtype):
    x = np.array([[3.0, 0.0], [4.0, 0.0]]) * size
    found = arrays.root_sum_squares(lib.asarray(x, dtype), axis=0)
    check(lib, found, np.array([5 * size, 0.0], dtype), dtype)
    check(lib, arrays.root_sum_squares(lib.asarray(x, dtype), axis=(0, 1)), np.array(5 * size, dtype), dtype)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6), st.sampled_from(fast()))
def test_root_sum_squares_is_a_hypotenuse(entries, lib):
    found = lib.numpy(arrays.root_sum_squares(lib.asarray(np.array(entries)), axis=0))
    wanted = np.hypot.reduce(entries)
    assert found == pytest.approx(wanted, rel=1e-14, abs=0) or wanted < 1e-300


@pytest.mark.parametrize(("before", "after"), [(a, b) for a in DTYPES for b in DTYPES])
def test_cast(lib, before, after):
    x = lib.asarray(normal((2, 2), before))
    target = kind(lib.asarray([0.0], after))
    if before.startswith("complex") and not after.startswith("complex"):
        with pytest.raises(TypeError, match=f"a {before} array does not fit into {after}"):
            arrays.cast(x, target)
        return
    found = arrays.cast(x, target)
    assert kind(found) == target
    assert (found is x) is (before == after)
    assert np.array_equal(lib.numpy(found), lib.numpy(x).astype(after))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("goal", installed(), ids=str)
def test_convert_to_the_library_and_device_of_an_array(lib, goal, dtype):
    x = normal((2, 3), dtype)
    found = arrays.convert(lib.asarray(x), goal.asarray([0.0], dtype))
    assert goal.owns(found)
    assert kind(found).dtype_name == dtype
    assert np.array_equal(goal.numpy(found), x)


def test_convert_by_name_and_back(lib):
    x = lib.asarray(normal((2, 3)))
    assert arrays.convert(x, kind(x).library.name) is x
    assert arrays.convert(x, x) is x
    host = arrays.convert(x, "numpy")
    assert isinstance(host, np.ndarray)
    assert lib.owns(arrays.convert(host, x))
    with pytest.raises(ValueError, match="unknown array library 'nunpy'"):
        arrays.convert(x, "nunpy")


def test_convert_moves_between_devices_of_one_library():
    x = STRICT.asarray([1.0, 2.0])
    there = arrays.convert(x, STRICT_DEVICE.asarray([0.0]))
    assert STRICT_DEVICE.owns(there)
    assert STRICT.owns(arrays.convert(there, x))


@each_dtype()
def test_to_numpy_is_a_copy_that_can_be_written(lib, dtype):
    x = normal((3, 2), dtype)
    given = lib.asarray(x)
    copy = arrays.to_numpy(given)
    assert type(copy) is np.ndarray
    assert copy.dtype == dtype
    copy[:] = 0
    assert np.array_equal(lib.numpy(given), x)
    close(arrays.to_numpy(arrays.adjoint(given)), x.conj().T, 0)


def test_a_number_is_no_array():
    for function in (arrays.conj, arrays.abs2, arrays.to_numpy, arrays.all_finite):
        with pytest.raises(TypeError, match="expected an array"):
            function(1.0)
    with pytest.raises(TypeError, match="expected an array"):
        arrays.convert(NUMPY.asarray([1.0]), 3)


@each_dtype()
def test_balanced_arrays_have_the_same_product_and_one_size(lib, dtype):
    small, large = (1e-30, 1e30) if dtype in ("float32", "complex64") else (1e-250, 1e250)
    xs = [normal((3,), dtype, 0) * large, normal((3,), dtype, 1) * large, normal((3,), dtype, 2) * small]
    found = arrays.balanced([lib.asarray(x.astype(dtype)) for x in xs], 1)
    product = np.ones(3)
    for x in found:
        check(lib, x, lib.numpy(x), dtype)
        product = product * lib.numpy(x)
        assert np.all(np.isfinite(product))
    exact = normal((3,), dtype, 0) * normal((3,), dtype, 1) * normal((3,), dtype, 2)
    close(product / large, exact, 1e-5 if dtype in ("float32", "complex64") else 1e-14)


def test_balancing_scales_by_powers_of_two_and_takes_zeros_stacks_and_small_numbers():
    found = arrays.balanced([np.asarray(x) for x in (3.0, 5e-324, 7.0, 0.0)], 0)
    assert np.prod(found) == 0
    assert np.all(np.isfinite(found))
    assert [float(np.frexp(x)[0]) for x in found[:3]] == [0.75, 0.5, 0.875]
    stacked = arrays.balanced([np.array([1e200, 1.0]), np.asarray(1e200), np.array([1e-300, 2.0])], 0)
    np.testing.assert_allclose(stacked[0] * stacked[1] * stacked[2], [1e100, 2e200], rtol=1e-14)


def test_two_arrays_and_empty_ones_are_left_alone():
    for vectors in ([np.ones(2), np.ones(3)], [np.ones(0), np.ones(2), np.ones(3)]):
        assert arrays.balanced(vectors, 1) is vectors


def test_convert_takes_integers(lib):
    x = lib.asarray([3, 1], "int64")
    assert arrays.convert(x, lib.asarray([0.0])) is x
    moved = arrays.convert(x, STRICT_DEVICE.asarray([0.0]))
    assert STRICT_DEVICE.owns(moved)
    assert STRICT_DEVICE.numpy(moved).tolist() == [3, 1]


@pytest.mark.parametrize("dtype", [*DTYPES, "int32", "int64", "uint8", "bool"])
def test_bytes_are_counted_as_numpy_counts_them(lib, dtype):
    x = np.zeros((2, 3), dtype)
    assert arrays.bytes_of(lib.asarray(x, dtype)) == x.nbytes


@each_dtype()
def test_the_real_part_of_a_real_array_is_the_array(lib, dtype):
    x = lib.asarray(normal((2, 3), dtype))
    got = arrays.real_part(x)
    np.testing.assert_array_equal(lib.numpy(got), normal((2, 3), dtype).real)
    assert (got is x) is (dtype in ("float32", "float64"))


@each_dtype()
def test_compact_keeps_the_array_and_copies_what_is_turned(lib, dtype):
    x = normal((2, 3, 4), dtype)
    turned = lib.xp.matrix_transpose(lib.asarray(x))
    check(lib, arrays.compact(turned), np.swapaxes(x, 1, 2), dtype)
    assert arrays.compact(lib.asarray(x[:, :0])).shape == (2, 0, 4)


def test_compact_of_a_row_major_array_is_a_view():
    x = normal((3, 4))
    assert np.shares_memory(arrays.compact(x), x)
    assert arrays.compact(x.T).flags.c_contiguous


def test_whether_columns_lie_in_one_piece(lib):
    """Known for libraries with strides; the others say no, so that the caller takes the way that fits either order."""
    rows = lib.asarray(normal((2, 5, 3)))
    columns = lib.asarray(normal((2, 3, 5)))
    assert not arrays.lies_by_columns(rows)
    known = lib.name.startswith(("numpy", "torch", "cupy"))
    assert arrays.lies_by_columns(kind(columns).xp.matrix_transpose(columns)) is known
