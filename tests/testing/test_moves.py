"""The laws of _moves.py hold for sound operators, and each of them catches the faults that are planted for it."""

import pickle
import sys

import numpy as np
import pytest

import kronlin as kl
from kronlin.testing import _moves
from kronlin.testing._case import BrokenLaw, Case
from tests.testing.laws import SOUND, check_catches, check_sound, each_fault_for, each_law_of


@each_law_of(_moves)
@SOUND
def test_laws_hold_for_a_dense_operator(law, a):
    check_sound(law, a)


@each_fault_for(_moves)
def test_laws_catch_planted_faults(law, fault):
    check_catches(law, fault)


HIDDEN = kl.Function(lambda x: 2 * x, lambda y: 2 * y, shape=(2, 2), dtype="float64")


def test_what_is_made_of_functions_cannot_move():
    assert not _moves.can_move(HIDDEN)
    assert not _moves.can_move(kl.HStack([np.eye(2), HIDDEN]))
    assert _moves.can_move(kl.HStack([np.eye(2), np.eye(2)]))
    _moves.precisions(Case(HIDDEN, 2 * np.eye(2)))
    _moves.libraries(Case(HIDDEN, 2 * np.eye(2)), ["no such library"])


def test_only_libraries_that_are_imported_are_reached(monkeypatch):
    case = Case(kl.Dense(np.eye(2)), np.eye(2))
    for name in ("torch", "jax", "cupy"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert _moves.reachable(case) == ["array_api_strict"]
    there = case.op.to("array_api_strict")
    assert _moves.reachable(Case(there, np.eye(2))) == ["numpy"]


def test_advice_for_a_class_that_cannot_be_rebuilt():
    class Stubborn(kl.Operator):
        def __init__(self, array, *, size):
            self.array = array
            self._define(array, shape=(size, size))

        def _matmat(self, x):
            return self.array @ x

    with pytest.raises(
        BrokenLaw, match=r"(?s)A.astype\('float32'\) fails with TypeError: .* what it handed to _define"
    ):
        _moves.precisions(Case(Stubborn(np.eye(2), size=2), np.eye(2)))


def save(path, op):
    path.write_bytes(pickle.dumps((type(op), op.parts, op._promised)))


def load(path):
    cls, parts, promised = pickle.loads(path.read_bytes())
    return cls._make(*parts)._with(promised)


@SOUND
def test_the_law_of_storage(a):
    op = kl.Dense(a)
    _moves.storage(Case(op, a), save, load)
    with pytest.raises(BrokenLaw, match="expected"):
        _moves.storage(Case(op, a), save, lambda path: 2 * load(path))
    with pytest.raises(BrokenLaw, match="loaded a Scaled"):
        _moves.storage(Case(op, a), save, lambda path: kl.algebra.Scaled(load(path), factor=1))


def test_a_lost_promise_is_noticed():
    op = kl.assume(kl.Dense(np.eye(2)), "pd")
    with pytest.raises(BrokenLaw, match="A promises"):
        _moves.storage(Case(op, np.eye(2)), save, lambda path: kl.Dense(load(path).array))


def test_what_is_not_of_the_package_is_not_stored():
    class Mine(kl.Dense):
        pass

    _moves.storage(Case(Mine(np.eye(2)), np.eye(2)), None, None)
    _moves.storage(Case(HIDDEN, 2 * np.eye(2)), None, None)
