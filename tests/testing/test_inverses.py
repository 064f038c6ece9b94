"""The laws of _inverses.py hold for sound operators, and each of them catches the faults that are planted for it."""

import pytest

import kronlin as kl
from kronlin.testing import _inverses
from kronlin.testing._case import Case
from tests.matrices import hermitian, positive
from tests.testing.laws import SOUND, check_catches, check_sound, each_fault_for, each_law_of


@each_law_of(_inverses)
@SOUND
def test_laws_hold_for_a_dense_operator(law, a):
    check_sound(law, a)


@each_fault_for(_inverses)
def test_laws_catch_planted_faults(law, fault):
    check_catches(law, fault)


class RefusesAsIndefinite(kl.Operator):
    """A matrix that will not be inverted."""

    def __init__(self, array):
        self.array = array
        self._define(array, shape=array.shape)

    def _matmat(self, x):
        return self.array @ x

    def _rmatmat(self, y):
        return self.array.conj().T @ y

    def inverse(self):
        raise kl.NotPositiveDefiniteError("it is indefinite")


def test_a_definite_operator_may_not_be_refused_and_an_indefinite_one_may():
    for law in (_inverses.solutions, _inverses.inverses):
        law(Case(RefusesAsIndefinite(hermitian(4)), hermitian(4), None))
    with pytest.raises(kl.NotPositiveDefiniteError):
        _inverses.inverses(Case(RefusesAsIndefinite(positive(4)), positive(4), None))
