"""check_operator: right operators pass, every planted fault is caught and named."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.testing import check_operator
from tests.libraries import JAX
from tests.testing.planted import FAULTS, Planted, S


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_caught(fault):
    op, dense = FAULTS[fault]
    with pytest.raises(AssertionError, match=r"the law of [a-z ]+ is broken|to_dense\(\) fails") as caught:
        check_operator(op, dense)
    assert type(op).__name__ in str(caught.value)


def test_what_the_faults_are_planted_in_is_sound():
    check_operator(Planted())
    check_operator(Planted(S), S)


def test_the_wrong_dense_twin_is_shown_with_an_entry():
    wrong = S.copy()
    wrong[1, 2] += 1
    with pytest.raises(AssertionError, match=r"A @ I\[1, 2\]: expected .*, got .* 1 of 16 entries differ"):
        check_operator(kl.Dense(S), wrong)


def test_every_library(lib):
    if lib is not JAX:
        check_operator(kl.Kronecker(lib.asarray(S), lib.asarray(np.ones((2, 1)))))


def test_an_array_is_an_operator():
    check_operator(np.eye(3))


def test_the_tolerance_can_be_chosen():
    off = S * (1 + 1e-6)
    with pytest.raises(AssertionError):
        check_operator(kl.Dense(off), S)
    check_operator(kl.Dense(off), S, rtol=1e-4)
