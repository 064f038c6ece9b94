"""The laws of _spectra.py hold for sound operators, and each of them catches the faults that are planted for it."""

from kronlin.testing import _spectra
from tests.testing.laws import SOUND, check_catches, check_sound, each_fault_for, each_law_of


@each_law_of(_spectra)
@SOUND
def test_laws_hold_for_a_dense_operator(law, a):
    check_sound(law, a)


@each_fault_for(_spectra)
def test_laws_catch_planted_faults(law, fault):
    check_catches(law, fault)
