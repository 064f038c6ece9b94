"""The laws of _arithmetic.py hold for sound operators, and one of them breaks for a planted fault."""

import numpy as np

import kronlin as kl
from kronlin.testing import _arithmetic
from kronlin.testing._case import Case
from tests.testing.laws import SOUND, broken_by, check_sound, each_law_of


@each_law_of(_arithmetic)
@SOUND
def test_laws_hold_for_a_dense_operator(law, a):
    check_sound(law, a)


def test_a_planted_fault_breaks_one_of_them():
    assert broken_by("damped twice", _arithmetic)


def test_damping_that_cancels_an_eigenvalue_is_no_broken_law():
    a = np.array([[0.6, -0.8], [-0.8, -0.6000000000000001]])
    op = kl.Spectral(a, np.array([-0.5, -0.5]))
    _arithmetic.damping(Case(op, op.to_dense(), 1e-9))
