"""Case: the facts that the laws stand on."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.testing._case import BrokenLaw, Case, wide
from tests.matrices import normal, positive


def test_facts_of_the_matrix():
    case = Case(kl.Dense(positive(4, condition=100.0)), positive(4, condition=100.0), None)
    assert case.is_square
    assert case.is_hermitian
    assert case.condition == pytest.approx(100.0)
    assert case.rtol == pytest.approx(1e-12, rel=1e-2)
    assert Case(kl.Dense(normal((2, 3))), normal((2, 3)), None).is_square is False
    assert Case(kl.Dense(np.ones((2, 2))), np.ones((2, 2)), None).condition == float("inf")


def test_expect_close_refuses_shape_kind_value_and_nan():
    case = Case(kl.Dense(np.eye(2)), np.eye(2), None)
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


def test_arrays_of_the_operators_own_kind(lib):
    case = Case(kl.Dense(lib.asarray(np.eye(2), dtype="float32")), np.eye(2), None)
    array = case.array(np.ones(2))
    assert lib.owns(array)
    assert "float32" in str(array.dtype)
    assert wide(array).dtype == np.float64
