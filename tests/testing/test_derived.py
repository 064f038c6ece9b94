"""The laws of _derived.py hold for sound operators, and each of them catches the faults that are planted for it."""

import numpy as np

import kronlin as kl
from kronlin.testing import _derived
from kronlin.testing._case import Case
from tests.testing.laws import SOUND, check_catches, check_sound, each_fault_for, each_law_of


@each_law_of(_derived)
@SOUND
def test_laws_hold_for_a_dense_operator(law, a):
    check_sound(law, a)


@each_fault_for(_derived)
def test_laws_catch_planted_faults(law, fault):
    check_catches(law, fault)


def test_damping_that_cancels_an_eigenvalue_is_no_broken_law():
    a = np.array([[0.6, -0.8], [-0.8, -0.6000000000000001]])
    op = kl.Spectral(a, np.array([-0.5, -0.5]))
    _derived.damping(Case(op, op.to_dense(), 1e-9))
