"""Arithmetic with operators: which numbers are factors, and what is refused."""

from fractions import Fraction

import numpy as np
import pytest

from kronlin.algebra import Operator, Product, Scaled, Sum, scalar
from tests.algebra.bare import agree, bare

SCALARS = [2, 2.5, np.float64(2.5), np.float32(2.5), np.int64(3), np.array(2.5), np.array(3), -1, 1j, np.complex64(1j)]


@pytest.mark.parametrize("factor", SCALARS, ids=repr)
def test_numbers_of_every_sort_are_factors(factor):
    A, a = bare((3, 2), dtype="complex128")
    for found in (factor * A, A * factor):
        assert isinstance(found, Operator)
        agree(found, complex(factor) * a)
    agree(A / factor, a / complex(factor))


def test_a_scalar_is_a_plain_number_of_python():
    for number, due in (
        (np.float64(2), float),
        (np.complex128(2j), complex),
        (2, int),
        (2.0, float),
        (np.int64(2), int),
    ):
        assert type(scalar(number)) is due
        assert scalar(number) == number


def test_scalars_of_the_array_library_are_factors(lib):
    A, a = bare((3, 2), lib, "float32")
    factor = lib.asarray(2.5, "float32")
    for found in (A * factor, A / (1 / factor)):
        assert isinstance(found, Scaled)
        agree(found, (2.5 * a).astype("float32"), lib)
    assert (A * factor).factor == 2.5
    assert type(scalar(factor)) is float
    assert type(scalar(lib.asarray(1 + 2j))) is complex
    assert scalar(lib.asarray(3, "int64")) == 3


@pytest.mark.parametrize("thing", ["2", None, [2.0], np.ones(1), np.ones((3, 2)), True, Fraction(1, 2)])
def test_other_things_are_no_factors(thing):
    A, _ = bare((3, 2))
    assert scalar(thing) is None
    for function in (lambda: A * thing, lambda: A / thing, lambda: thing * A):
        with pytest.raises(TypeError):
            function()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, complex(0, np.nan), complex(np.inf, 1), np.array(np.nan)])
def test_a_factor_must_be_finite(bad):
    A, _ = bare((2, 2))
    for function in (lambda: A * bad, lambda: bad * A):
        with pytest.raises(ValueError, match=r"Bare times .*(nan|inf).*: a factor must be finite"):
            function()


def test_dividing_by_zero_and_by_nan():
    A, _ = bare((2, 2))
    for zero in (0, 0.0, np.float64(0), np.array(0.0)):
        with pytest.raises(ZeroDivisionError):
            A / zero
    with pytest.raises(ValueError, match="finite"):
        A / np.nan


@pytest.mark.parametrize("number", [1, 1.0, np.float64(1), np.array(1.0), np.ones((2, 2))])
def test_an_operator_is_no_divisor(number):
    A, _ = bare((2, 2))
    with pytest.raises(TypeError):
        number / A
    with pytest.raises(TypeError):
        A / A
    with pytest.raises(TypeError):
        A * A


def test_arithmetic_types():
    (A, a), (B, b) = bare((3, 3)), bare((3, 3), seed=1)
    agree(A + B, a + b, kind_of=Sum)
    agree(A - B, a - b, kind_of=Sum)
    agree(-A, -a, kind_of=Scaled)
    agree(A @ B, a @ b, kind_of=Product)
    agree(A @ (2 * B - A / 4).H, a @ (2 * b - a / 4).T, kind_of=Product)
