"""The law of storage holds for sound operators, and catches the faults that are planted for it."""

import kronlin as kl
from kronlin.testing import _storage
from kronlin.testing._case import Case
from tests.faults.examples import Matrix
from tests.matrices import normal
from tests.testing.laws import SOUND, check_catches, check_sound, each_fault_for, each_law_of


@each_law_of(_storage)
@SOUND
def test_laws_hold_for_a_dense_operator(law, a):
    check_sound(law, a)


@each_fault_for(_storage)
def test_laws_catch_planted_faults(law, fault):
    check_catches(law, fault)


def test_classes_of_the_user_are_stored_and_functions_are_excused():
    a = normal((2, 3))
    _storage.storage(Case(Matrix(a) @ kl.Dense(a.T), a @ a.T))
    _storage.storage(Case(kl.Function(lambda x: a @ x, shape=a.shape, dtype="float64"), a))


def test_the_device_is_kept(lib):
    a = normal((2, 3))
    _storage.storage(Case(kl.Dense(lib.asarray(a)), a))
