"""The laws of _form.py hold for sound operators, and one of them breaks for a planted fault."""

from kronlin.testing import _form
from tests.testing.laws import SOUND, broken_by, check_sound, each_law_of


@each_law_of(_form)
@SOUND
def test_laws_hold_for_a_dense_operator(law, a):
    check_sound(law, a)


def test_a_planted_fault_breaks_one_of_them():
    assert broken_by("false promise", _form)
