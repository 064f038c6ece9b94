"""The operator: what `@` and the arithmetic check, what they take, and what a promise is."""

import operator as python

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import Operator, assume
from kronlin.arrays import kind
from kronlin.operators import Dense, Diagonal, Function, Kronecker, Spectral
from tests.algebra.bare import Bare, bare
from tests.libraries import NUMPY, STRICT, STRICT_DEVICE, fast
from tests.matrices import COMPLEX, REAL, each_dtype, hermitian, normal, positive
from tests.nets import close


@each_dtype()
@pytest.mark.parametrize("columns", [None, 3, 1, 0])
def test_products_with_vectors_and_blocks(lib, dtype, columns):
    A, a = bare((3, 2), lib, dtype)
    x = normal((2,) if columns is None else (2, columns), dtype, seed=1)
    y = A @ lib.asarray(x)
    assert lib.owns(y)
    assert kind(y).dtype_name == dtype
    close(lib.numpy(y), a @ x, 1e-5 if dtype in ("float32", "complex64") else 1e-14)


def test_the_kernel_sees_one_block_of_columns():
    seen = []

    def times(x):
        seen.append(x.shape)
        return 2 * x

    A = Function(times, shape=(3, 3), dtype="float64")
    for shape in ((3,), (3, 5), (3, 0)):
        assert (A @ np.ones(shape)).shape == shape
    assert seen == [(3, 1), (3, 5), (3, 0)]


@pytest.mark.parametrize(("own", "given"), list(zip(REAL, COMPLEX, strict=True)))
def test_a_real_operator_takes_complex_vectors_and_the_reverse(lib, own, given):
    A, a = bare((3, 2), lib, own)
    B, b = bare((3, 2), lib, given)
    z, x = normal((2, 4), given, seed=1), normal((2, 4), own, seed=1)
    for found, wanted in (
        (A @ lib.asarray(z), a @ z),
        (A @ lib.asarray(z[:, 0]), a @ z[:, 0]),
        (A @ lib.asarray(z[:, :0]), a @ z[:, :0]),
        (B @ lib.asarray(x), b @ x),
        (B.H @ lib.asarray(np.ones(3), own), b.conj().T @ np.ones(3)),
    ):
        assert kind(found).dtype_name == given
        close(lib.numpy(found), wanted, 1e-5 if own == "float32" else 1e-14)


def test_a_real_kernel_is_called_once_for_both_parts():
    seen = []

    def times(x):
        seen.append((x.shape, x.dtype))
        return 2 * x

    A = Function(times, shape=(3, 3), dtype="float32")
    close(A @ (np.ones((3, 2)) * (1 + 2j)).astype("complex64"), np.full((3, 2), 2 + 4j), 1e-7)
    assert seen == [((3, 4), np.dtype("float32"))]


@pytest.mark.parametrize("x", [(3, 4), (3, 1), (3, 0)])
def test_arrays_from_the_left(x):
    A, a = bare((4, 2), dtype="complex128")
    x = normal(x, "complex128", seed=1)
    if x.shape[1] == 4:
        close(x @ A, x @ a, 1e-14)
        close(x[0] @ A, x[0] @ a, 1e-14)
        close(x[:0] @ A, x[:0] @ a, 1e-14)
        close(x[:1].real @ A, x[:1].real @ a, 1e-14)
    else:
        with pytest.raises(ValueError, match=r"2×4"):
            x @ A


def test_arrays_from_the_left_on_every_library(lib):
    A, a = bare((3, 2), lib, "complex64")
    x = normal((2, 3), "complex64", seed=1)
    try:
        found = lib.asarray(x) @ A
    except TypeError:
        assert lib.name.startswith("strict")
        return
    assert lib.owns(found)
    close(lib.numpy(found), x @ a, 1e-5)


def test_rmatvec_serves_where_the_library_refuses():
    A, a = bare((3, 2), STRICT, "complex128")
    with pytest.raises(TypeError):
        STRICT.asarray(normal((3,), "complex128")) @ A
    close(STRICT.numpy(A.rmatvec(STRICT.asarray(normal((3,), "complex128")))), a.conj().T @ normal((3,), "complex128"))


def test_the_names_of_scipy():
    A, a = bare((3, 2), dtype="complex128")
    x, y = normal((2, 2), "complex128"), normal((3, 2), "complex128")
    close(A.matvec(x[:, 0]), a @ x[:, 0])
    close(A.matmat(x), a @ x)
    close(A.rmatvec(y[:, 0]), a.conj().T @ y[:, 0])
    close(A.rmatmat(y), a.conj().T @ y)


@pytest.mark.parametrize("shape", [(3,), (3, 2), (1, 2), (2, 2, 2), ()])
def test_a_wrong_shape_is_told_with_both(shape):
    A, _ = bare((3, 2))
    told = "×".join(map(str, shape)) if len(shape) == 2 else rf"\({', '.join(map(str, shape))},?\)"
    with pytest.raises(ValueError, match=rf"Bare\(3×2\) @ {told}: pass \(n,\) or \(n, k\)"):
        A @ np.ones(shape)


@pytest.mark.parametrize("thing", [[1.0, 2.0], 3.0, "x", None])
def test_what_is_no_array_is_left_to_the_other_side(thing):
    A, _ = bare((3, 2))
    with pytest.raises(TypeError, match="unsupported operand"):
        A @ thing
    with pytest.raises(TypeError, match="unsupported operand"):
        thing @ A


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_another_precision_is_refused(lib, dtype):
    A, _ = bare((3, 2), lib)
    with pytest.raises(ValueError, match=rf"a .* float64.* operator meets a .* {dtype}.* array: .*astype"):
        A @ lib.asarray(np.ones(2), dtype)
    with pytest.raises(ValueError, match="cannot solve"):
        Bare(lib.asarray(positive(2))).solve(lib.asarray(np.ones(2), dtype))


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_other_dtypes_are_refused(lib, dtype):
    A, _ = bare((3, 2), lib)
    with pytest.raises(TypeError, match=f"not {dtype}.*astype"):
        A @ lib.asarray(np.ones(2), dtype)


def test_another_library_or_device_is_refused():
    A, _ = bare((3, 2))
    S, _ = bare((3, 2), STRICT)
    for op, lib in ((A, STRICT), (S, NUMPY), (S, STRICT_DEVICE)):
        with pytest.raises(ValueError, match=r"operator meets a .*A\.to\("):
            op @ lib.asarray(np.ones(2))
    for function in (python.matmul, python.add, python.sub):
        with pytest.raises(ValueError, match=r"mixes .*\.to\("):
            function(S, bare((2, 3) if function is python.matmul else (3, 2), STRICT_DEVICE)[0])
    with pytest.raises(ValueError, match=r"mixes .*\.to\("):
        A + STRICT.asarray(np.ones((3, 2)))


def test_dtype_and_device():
    A, _ = bare((3, 2), STRICT_DEVICE, "float32")
    assert A.dtype == STRICT.xp.float32
    assert A.device == STRICT_DEVICE.device
    assert A.kind == kind(A.array)


@pytest.mark.parametrize(
    ("promise", "told"), [("self-adjoint", (True, None, None)), ("psd", (True, True, None)), ("pd", (True, True, True))]
)
def test_assume(promise, told):
    A = Bare(positive(3))
    B = assume(A, promise)
    assert type(B) is Bare
    assert (B.is_self_adjoint, B.is_psd, B.is_pd) == told == B.properties
    assert A.properties == (None, None, None)
    assert promise in repr(B)
    assert promise not in repr(A)
    assert assume(B, promise) is B
    assert assume(assume(A, "self-adjoint"), promise).properties == told


def test_assume_takes_an_array(lib):
    A = assume(lib.asarray(positive(3)), "pd")
    assert type(A) is Dense
    assert A.is_pd is True


def test_assume_refuses():
    with pytest.raises(ValueError, match=r"unknown promise 'spd': choose one of 'self-adjoint', 'psd', 'pd'"):
        assume(np.eye(2), "spd")
    with pytest.raises(ValueError, match=r"Bare\(3×2, float64\) is not square, so it cannot be psd"):
        assume(bare((3, 2))[0], "psd")
    with pytest.raises(ValueError, match=r"cannot assume that Dense.*pd: .*known not to be self-adjoint"):
        assume(normal((3, 3)), "pd")
    with pytest.raises(ValueError, match=r"cannot assume that Diagonal.*known not to be psd"):
        assume(Diagonal(np.array([1.0, -1.0])), "psd")
    with pytest.raises(TypeError, match="expected an operator or an array, not str"):
        assume("A", "pd")


def test_a_wrong_promise_is_found_by_the_factorisation():
    for promise in ("psd", "pd"):
        A = assume(hermitian(3) - 9 * np.eye(3), promise)
        with pytest.raises(ValueError, match=rf"promised to be {promise}, but .*drop the promise"):
            A.solve(np.ones(3))


def test_properties_are_never_guessed_downward():
    minus = -Dense(np.eye(2))
    assert (minus.is_psd, minus.is_self_adjoint) in [(None, True), (False, True)]
    both = Kronecker(minus, minus)
    assert both.is_self_adjoint is True
    assert both.is_psd is None
    close(both.to_dense(), np.eye(4), 0)
    assert assume(both, "pd").is_pd is True
    negative = Diagonal(-np.ones(2))
    assert negative.is_psd is False
    assert Kronecker(negative, negative).is_psd is None
    assert assume(Kronecker(negative, negative), "pd").inverse().is_pd is True


def test_rectangular_operators_are_nothing_of_the_sort():
    assert bare((3, 2))[0].properties == (False, False, False)


def test_repr_is_shape_dtype_and_promise():
    assert repr(bare((3, 2), dtype="complex64")[0]) == "Bare(3×2, complex64)"
    assert repr(assume(Bare(np.eye(2)), "psd")) == "Bare(2×2, float64, psd)"
    assert repr(Spectral(np.eye(2), np.ones(2))) == "Spectral(2×2, float64, pd: Dense(2×2))"


def test_a_subclass_that_defines_nothing_says_what_is_missing():
    class Empty(Operator):
        def __init__(self):
            self._define(np.ones(0), shape=(2, 2))

    with pytest.raises(NotImplementedError, match="Empty defines no _matmat"):
        Empty() @ np.ones(2)
    with pytest.raises(NotImplementedError, match="Empty defines neither _rmatmat nor a rule of adjoint"):
        Empty().H @ np.ones(2)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 4), st.integers(0, 2**31), st.sampled_from(fast()))
def test_products_of_any_size(m, n, k, seed, lib):
    A, a = bare((m, n), lib, seed=seed)
    x, y = normal((n, k), seed=seed + 1), normal((m, k), seed=seed + 2)
    close(lib.numpy(A @ lib.asarray(x)), a @ x)
    close(lib.numpy(A.H @ lib.asarray(y)), a.T @ y)
    if lib.name.startswith("numpy"):
        close(y.T @ A, y.T @ a)
