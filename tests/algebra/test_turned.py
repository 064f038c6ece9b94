"""Adjoint, Conjugate and Transpose hand every question to their operator, and keep the structure that it answers in."""

import numpy as np
import pytest

from kronlin.algebra import Adjoint, Conjugate, Power, Scaled, Sum, Transpose, assume, rules
from kronlin.operators import Diagonal, Spectral
from tests.algebra.bare import Bare, agree, bare
from tests.matrices import DTYPES, each_dtype, normal, positive
from tests.nets import close

TURNS = {Adjoint: lambda a: a.conj().T, Conjugate: np.conj, Transpose: np.transpose}
EACH = pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.__name__)


@EACH
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_asked_of_it(turn, dtype):
    a = normal((3, 3), dtype)
    A, turned = turn(Bare(a)), TURNS[turn](a)
    tolerance = 1e-4 if dtype in ("float32", "complex64") else 1e-12
    close(A.inverse().to_dense(), np.linalg.inv(turned), tolerance)
    close(A.pinv().to_dense(), np.linalg.inv(turned), tolerance)
    close(A.power(2).to_dense(), turned @ turned, tolerance)
    close(A.damped(0.5).to_dense(), turned + np.eye(3) / 2, tolerance)
    close(rules.modulus2(A).to_dense(), abs(turned) ** 2, tolerance)
    close(A.solve(np.ones(3, dtype)), np.linalg.solve(turned, np.ones(3)), tolerance)
    for found, due in zip(
        (A.norm(), A.trace(), A.diagonal(), *A.slogdet()),
        (np.linalg.norm(turned), np.trace(turned), np.diagonal(turned), *np.linalg.slogdet(turned)),
        strict=True,
    ):
        close(found, np.asarray(due), tolerance)


@EACH
@each_dtype(("complex128",))
def test_scalars_stay_with_the_library(turn, lib, dtype):
    a = normal((2, 2), dtype)
    A = turn(Bare(lib.asarray(a)))
    for found, due in ((A.trace(), np.trace(TURNS[turn](a))), (A.diagonal(), np.diagonal(TURNS[turn](a)))):
        assert lib.owns(found)
        close(lib.numpy(found), np.asarray(due), 1e-13)


@EACH
def test_structure_is_kept(turn):
    d = np.array([1.0 + 2j, 3.0 - 1j])
    A, turned = turn(Diagonal(d)), TURNS[turn](np.diag(d))
    for found, due in (
        (A.inverse(), np.linalg.inv(turned)),
        (A.pinv(), np.linalg.inv(turned)),
        (A.power(3), turned @ turned @ turned),
        (A.damped(2.0), turned + 2 * np.eye(2)),
        (2j * A, 2j * turned),
        (rules.modulus2(A), abs(turned) ** 2 + 0j),
    ):
        assert type(found) is Diagonal
        close(found.to_dense(), due, 1e-14)


@EACH
def test_eigenvectors_are_turned_with_it(turn):
    a = positive(3, "complex128")
    A = turn(assume(Bare(a), "pd"))
    assert A.is_pd is True
    assert type(A.eigh()) is Spectral
    close(A.eigh().to_dense(), TURNS[turn](a))
    assert type(A.sqrt()) is Spectral
    close(A.sqrt().to_dense() @ A.sqrt().to_dense(), TURNS[turn](a))


@EACH
def test_where_the_operator_has_no_rule_the_default_is_kept(turn):
    A, a = bare((3, 3), dtype="complex128")
    agree(2j * turn(A), 2j * TURNS[turn](a), kind_of=Scaled)
    agree(turn(A).power(2), TURNS[turn](a @ a), kind_of=Power)
    agree(rules.shift(turn(A), 1j), TURNS[turn](a) + 1j * np.eye(3), kind_of=Sum)


@EACH
@pytest.mark.parametrize("promise", ["self-adjoint", "psd", "pd"])
def test_promises_are_handed_on(turn, promise):
    A = assume(Bare(positive(3, "complex128")), promise)
    assert turn(A).properties == A.properties
    assert A.H is A


def test_a_complex_multiple_of_a_real_operator_is_complex():
    A, a = bare((3, 2))
    agree(1j * A.H, 1j * a.T, kind_of=Scaled)
