"""What is kept with an operator: asked for once, shared between twins, and released with the last name."""

import copy
import gc
import weakref

import numpy as np
import pytest

from kronlin.algebra import Properties
from kronlin.algebra.properties import PD, PSD, UNKNOWN
from kronlin.operators import Dense
from tests.algebra.bare import Bare, agree
from tests.algebra.examples import NAMES, SQUARE, examples
from tests.matrices import normal, positive


def test_once_keeps_and_does_not_ask_again():
    A, calls = Bare(np.eye(2)), []
    for _ in range(3):
        assert A._once("answer", lambda: calls.append(1) or "kept") == "kept"
    assert calls == [1]
    assert A._kept("answer") == "kept"
    assert A._kept("other") is None


@pytest.mark.parametrize("name", NAMES)
def test_the_adjoint_of_the_adjoint_is_the_operator(name):
    op = examples(dtype="complex128")[name]
    adjoint = op.H
    assert adjoint.H is op
    assert op.H is adjoint


@pytest.mark.parametrize("name", SQUARE)
def test_the_inverse_of_the_inverse_is_the_operator(name):
    op = examples()[name]
    inverse = op.inverse()
    assert inverse.inverse() is op
    assert op.inverse() is inverse


def test_a_twin_that_outlives_its_operator_computes_anew():
    inverse = Dense(positive(3)).inverse()
    agree(inverse.inverse(), positive(3))
    agree(Bare(normal((3, 2))).H.H, normal((3, 2)))


ASK = {
    "H": lambda op: op.H,
    "T": lambda op: op.T,
    "inverse": lambda op: op.inverse(),
    "inverse of H": lambda op: op.H.inverse(),
    "pinv": lambda op: op.pinv(),
    "eigh": lambda op: op.eigh(),
    "twice H": lambda op: op.H.H.H,
    "twice inverse": lambda op: op.inverse().inverse().inverse(),
    "solve": lambda op: op.solve(op.kind.ones(op.shape[0])),
    "slogdet": lambda op: op.slogdet(),
    "gram": lambda op: op.H @ op,
    "damped": lambda op: op.damped(1.0).inverse(),
    "properties": lambda op: op.properties,
}


@pytest.mark.parametrize("name", SQUARE)
@pytest.mark.parametrize("question", ASK)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_no_circle_of_references_keeps_arrays_alive(name, question, dtype):
    """Memory comes back when the last name is dropped, not when the collector happens to come by."""
    check_released(examples(dtype=dtype)[name], ASK[question])


@pytest.mark.parametrize("name", NAMES[-3:])
@pytest.mark.parametrize("question", ["H", "T", "pinv", "twice H", "gram"])
def test_rectangular_operators_are_released_too(name, question):
    check_released(examples(dtype="complex128")[name], ASK[question])


def check_released(op, question):
    gc.disable()
    try:
        watched = [weakref.ref(op), *(weakref.ref(array) for array in op._arrays())]
        answer = question(op)
        del op, answer
        assert not [ref for ref in watched if ref() is not None]
    finally:
        gc.enable()


def test_with_does_not_change_the_operator():
    A = Bare(positive(2))
    before = copy.copy(A.__dict__)
    assert A.H is not A
    B = A._with(PD)
    assert B is not A
    assert B.properties == PD
    assert A.properties == UNKNOWN
    assert A._promised == before.get("_promised", UNKNOWN)
    assert B.array is A.array
    assert B.H is B


def test_with_nothing_new_is_the_same_operator():
    A = Bare(positive(2))._with(PD)
    assert A._with(PSD) is A
    assert A._with(UNKNOWN) is A
    with pytest.raises(ValueError, match="known to be pd"):
        A._with(Properties(pd=False))


def test_what_was_kept_is_not_handed_to_the_promised_copy():
    A = Bare(positive(2))
    A._once("properties", lambda: UNKNOWN)
    assert A._with(PSD).is_psd is True
