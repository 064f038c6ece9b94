"""Kind: what arrays are made of, and which of them may meet."""

import array_api_compat
import array_api_strict
import numpy as np
import pytest

from kronlin.arrays import common_kind, device, is_array, kind, kind_named, library_named, namespace
from tests.libraries import NUMPY, STRICT, STRICT_DEVICE
from tests.matrices import each_dtype


@each_dtype()
def test_kind_of_an_array(lib, dtype):
    x = lib.asarray(np.ones((2, 3)), dtype)
    found = kind(x)
    name = "array_api_strict" if lib.name.startswith("strict") else lib.name.split("-")[0]
    assert found.dtype == x.dtype
    assert found.dtype_name == dtype
    assert found.xp is namespace(x) is lib.xp
    assert found.library is library_named(name)
    assert found.device == device(x) == array_api_compat.device(x)
    assert found.eps == np.finfo(dtype).eps
    assert found.itemsize == np.dtype(dtype).itemsize
    assert found.is_complex is dtype.startswith("complex")
    assert is_array(x)


@each_dtype()
def test_kind_is_a_value(lib, dtype):
    one, two = (kind(lib.asarray(np.ones(shape), dtype)) for shape in (2, (3, 1)))
    assert one == two
    assert one.real.dtype_name == {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    assert one.complex.dtype_name == {"float32": "complex64", "float64": "complex128"}.get(dtype, dtype)
    assert one.double.dtype_name == ("complex128" if one.is_complex else "float64")
    assert (one.double == one) is (one.eps < 1e-10)
    assert one.real.complex == one.complex
    assert one.complex.real == one.real
    for other in (one.real, one.complex, one.double):
        assert (other.library, other.device) == (one.library, one.device)


@each_dtype()
def test_makes_arrays_of_its_kind(lib, dtype):
    own = kind(lib.asarray([0.0], dtype))
    made = [own.zeros(2, 3), own.ones(2), own.eye(3), own.asarray([[1, 2], [3, 4]]), own.asarray(5)]
    wanted = [np.zeros((2, 3)), np.ones(2), np.eye(3), np.array([[1, 2], [3, 4]]), np.array(5)]
    for found, due in zip(made, wanted, strict=True):
        assert kind(found) == own
        assert lib.owns(found)
        assert np.array_equal(lib.numpy(found), due)
    indices = own.indices([2, 0])
    assert indices.dtype == lib.xp.int64
    assert lib.owns(indices)
    assert lib.numpy(own.zeros()).shape == ()


def test_indices_of_jax_without_64_bits():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(False):
        own = kind(jax.numpy.ones(1))
        assert own.dtype_name == "float32"
        assert own.indices([2, 0]).dtype == jax.numpy.int32


def test_text_names_library_dtype_and_a_device_that_is_not_the_host():
    assert str(kind(np.ones(1, np.float32))) == "numpy float32"
    assert str(kind(STRICT.asarray([1.0]))) == "array_api_strict float64"
    assert "array_api_strict float64 on " in str(kind(STRICT_DEVICE.asarray([1.0])))
    assert "device1" in str(kind(STRICT_DEVICE.asarray([1.0])))


def test_only_a_device_that_is_not_the_host_is_an_accelerator():
    assert not kind(np.ones(1)).is_accelerator
    assert not kind(STRICT.asarray([1.0])).is_accelerator
    assert kind(STRICT_DEVICE.asarray([1.0])).is_accelerator


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_other_dtypes_are_refused_by_name(lib, dtype):
    with pytest.raises(TypeError, match=rf"expected float32, float64, .*not {dtype}.*astype"):
        kind(lib.asarray(np.ones(2), dtype))


def test_half_precision_is_refused():
    with pytest.raises(TypeError, match="not float16"):
        kind(np.ones(2, np.float16))
    with pytest.raises(TypeError, match=r"not (longdouble|float128|float96)"):
        kind(np.ones(2, np.longdouble))


@pytest.mark.parametrize("thing", [[1.0, 2.0], 1.0, "array", None])
def test_what_is_no_array_is_refused_by_type(thing):
    assert not is_array(thing)
    with pytest.raises(TypeError, match=rf"expected an array .*not {type(thing).__name__}.*numpy\.asarray"):
        kind(thing)


def test_kind_by_name(lib):
    own = kind(lib.asarray([0.0], "float32"))
    assert kind_named("float32", own.library.name, own.device) == own
    assert kind_named("complex128") == kind(np.ones(1, complex))
    with pytest.raises(ValueError, match=r"unknown array library 'numpi'.*numpy, cupy"):
        kind_named("float64", "numpi")


def test_real_and_complex_meet_in_complex(lib):
    for single, double in (("float32", "complex64"), ("float64", "complex128")):
        real, number = (kind(lib.asarray([0.0], name)) for name in (single, double))
        assert common_kind([real, real], "it") == real
        assert common_kind([number], "it") == number
        assert common_kind([real, number, real], "it") == common_kind([number, real], "it") == number


def test_two_precisions_do_not_meet(lib):
    single, double = (kind(lib.asarray([0.0], name)) for name in ("float32", "complex128"))
    with pytest.raises(ValueError, match=r"a sum mixes .* float32.* with .* complex128.*: .*astype"):
        common_kind([single, double], "a sum")
    with pytest.raises(ValueError, match="astype"):
        common_kind([double, double, single], "a sum")


def test_two_libraries_or_devices_do_not_meet():
    here, strict, there = (kind(library.asarray([0.0])) for library in (NUMPY, STRICT, STRICT_DEVICE))
    with pytest.raises(ValueError, match=r"a sum mixes numpy float64 with array_api_strict float64: .*\.to\("):
        common_kind([here, strict], "a sum")
    with pytest.raises(ValueError, match=r"mixes array_api_strict float64 with .*device1.*\.to\("):
        common_kind([strict, there], "a sum")


def test_namespace_of_arrays_of_two_libraries():
    assert namespace(np.ones(1), np.zeros(2, np.float32)).__name__ == "numpy"
    with pytest.raises(ValueError, match="two libraries meet: numpy and array_api_strict"):
        namespace(np.ones(1), array_api_strict.ones(1))
