"""The laws of _moves.py hold for sound operators, and each of them catches the faults that are planted for it."""

import sys

import numpy as np
import pytest
import scipy.sparse

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


def test_an_operator_with_homes_of_its_own_is_not_asked_elsewhere():
    sparse = kl.aslinearoperator(scipy.sparse.csr_array(np.eye(3)))
    assert "array_api_strict" in _moves.reachable(Case(kl.Dense(np.eye(3)), np.eye(3)))
    assert _moves.reachable(Case(kl.Kronecker(sparse, np.eye(2)), np.eye(6))) == []
