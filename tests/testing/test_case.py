"""Case: the facts that the laws stand on."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.testing._case import BrokenLaw, Case, wide
from tests.matrices import normal, positive


def test_facts_of_the_matrix():
    case = Case(kl.Dense(positive(4, condition=100.0)), positive(4, condition=100.0))
    assert case.is_square
    assert case.is_hermitian
    assert case.condition == pytest.approx(100.0)
    assert case.rtol == pytest.approx(1e-12, rel=1e-2)
    np.testing.assert_allclose(case.inverse @ case.dense, np.eye(4), atol=1e-12)
    assert case.eigenvalues[0] == pytest.approx(1e-2)
    assert Case(kl.Dense(normal((2, 3))), normal((2, 3))).is_square is False
    singular = Case(kl.Dense(np.ones((2, 2))), np.ones((2, 2)))
    assert singular.condition == float("inf")
    assert singular.inverse is None


def test_a_size_beyond_the_norm_widens_tolerance_and_condition():
    case = Case(kl.Dense(np.eye(2)), np.eye(2), size=100 * 2**0.5)
    assert case.condition == pytest.approx(100.0)
    assert Case(kl.Dense(np.eye(2)), np.eye(2), size=0.0).size == case.norm


def test_whether_there_is_an_adjoint():
    functions = [lambda x: x, lambda y: y]
    make = lambda *given: Case(kl.Function(*given, shape=(2, 2), dtype="float64"), np.eye(2))  # noqa: E731
    assert make(*functions).has_adjoint
    assert not make(functions[0]).has_adjoint


def test_numbers_are_the_same_after_a_restart():
    case = Case(kl.Dense(np.eye(2)), np.eye(2))
    first = case.numbers(5)
    assert not np.array_equal(first, case.numbers(5))
    case.restart()
    np.testing.assert_array_equal(first, case.numbers(5))
    assert np.iscomplexobj(Case(kl.Dense(np.eye(2) + 0j), np.eye(2)).numbers(2))


def test_expect_close_refuses_shape_kind_value_and_nan():
    case = Case(kl.Dense(np.eye(2)), np.eye(2))
    case.expect_close("x", np.ones(2), np.ones(2), 1.0)
    for got, message in (
        (np.ones(3), "has shape"),
        (np.ones(2, dtype="float32"), "where numpy float64 is due"),
        (np.array([1.0, 2.0]), r"x\[1\]: expected 1, got 2"),
        (np.array([np.nan, 1.0]), r"x\[0\]: expected 1, got nan"),
        ([1.0, 1.0], "is a list, not an array"),
    ):
        with pytest.raises(BrokenLaw, match=message):
            case.expect_close("x", got, np.ones(2), 1.0)


def test_a_real_result_beside_a_complex_operator_is_right_for_scalars_alone():
    case = Case(kl.Dense(np.eye(2) + 0j), np.eye(2))
    case.expect_close("x", np.ones(2), np.ones(2), 1.0, scalar=True)
    with pytest.raises(BrokenLaw, match="complex128 is due"):
        case.expect_close("x", np.ones(2), np.ones(2), 1.0)


def test_derived_operators_are_checked_for_type_shape_and_kind():
    case = Case(kl.Dense(np.eye(2)), np.eye(2))
    assert case.derived("{}.H", case.op.H, np.eye(2), 5.0).size == 5.0
    for made, message in (
        (np.eye(2), "A.H is a ndarray, not an operator"),
        (kl.Dense(np.ones((2, 3))), r"A.H has shape \(2, 3\), where \(2, 2\) is due"),
        (kl.Dense(np.eye(2, dtype="float32")), "A.H is numpy float32, where numpy float64 is due"),
    ):
        with pytest.raises(BrokenLaw, match=message):
            case.derived("{}.H", made, np.eye(2))


def test_arrays_of_the_operators_own_kind(lib):
    case = Case(kl.Dense(lib.asarray(np.eye(2), dtype="float32")), np.eye(2))
    array = case.array(np.ones(2))
    assert lib.owns(array)
    assert "float32" in str(array.dtype)
    assert wide(array).dtype == np.float64
