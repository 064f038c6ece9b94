"""The laws of _inverses.py hold for sound operators, and one of them breaks for a planted fault."""

import pytest

import kronlin as kl
from kronlin.testing import _inverses
from kronlin.testing._case import Case
from tests.matrices import hermitian
from tests.testing.laws import SOUND, broken_by, check_sound, each_law_of
from tests.testing.planted import RefusesAsIndefinite


@each_law_of(_inverses)
@SOUND
def test_laws_hold_for_a_dense_operator(law, a):
    check_sound(law, a)


def test_a_planted_fault_breaks_one_of_them():
    assert broken_by("wrong inverse", _inverses)


def test_a_definite_operator_may_not_be_refused_and_an_indefinite_one_may():
    with pytest.raises(kl.NotPositiveDefiniteError):
        broken_by("definite but refused", _inverses)
    for law in (_inverses.solutions, _inverses.inverses):
        law(Case(RefusesAsIndefinite(hermitian(4)), hermitian(4), None))
