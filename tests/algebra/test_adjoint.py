"""Adjoint and Conjugate of an operator that has no rule for them."""

import numpy as np
import pytest

from kronlin.algebra import Adjoint, Conjugate, assume, rules
from kronlin.operators import Dense, Function
from kronlin.testing import check_operator
from tests.algebra.bare import Bare, agree, bare
from tests.matrices import COMPLEX, DTYPES, each_dtype, normal, positive
from tests.nets import close


@each_dtype()
def test_adjoint_on_every_library(lib, dtype):
    A, a = bare((3, 2), lib, dtype)
    agree(A.H, a.conj().T, lib, Adjoint)
    agree(A.T, a.T, lib, Conjugate if dtype in COMPLEX else Adjoint)
    agree(rules.conjugate(A), a.conj(), lib, Conjugate if dtype in COMPLEX else Bare)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 3), (3, 2), (2, 3), (1, 1), (0, 2), (2, 0), (0, 0)])
def test_laws(dtype, shape):
    A, a = bare(shape, dtype=dtype)
    check_operator(A.H, a.conj().T)
    check_operator(rules.conjugate(A), a.conj())
    check_operator(A.T, a.T)


def test_twice_is_the_operator_itself():
    A, _ = bare((3, 2), dtype="complex128")
    assert A.H.H is A
    assert Adjoint(A).H is A
    assert rules.conjugate(rules.conjugate(A)) is A


def test_transpose_of_the_transpose(lib):
    A, a = bare((3, 2), lib, "complex128")
    agree(A.T.T, a, lib)
    agree(A.T.H, a.conj(), lib)
    agree(A.H.T, a.conj(), lib)


def test_self_adjoint_is_its_own_adjoint():
    A = assume(Bare(positive(3, "complex128")), "self-adjoint")
    assert A.H is A
    assert isinstance(A.T, Conjugate)
    assert A.T.is_self_adjoint is True


def test_a_real_operator_is_its_own_conjugate_and_its_transpose_is_its_adjoint():
    A, _ = bare((3, 2))
    assert rules.conjugate(A) is A
    assert A.T is A.H


@pytest.mark.parametrize("promise", ["self-adjoint", "psd", "pd"])
def test_promises_are_handed_to_adjoint_and_conjugate(promise):
    A = assume(Bare(positive(3, "complex128")), promise)
    for other in (Adjoint(A), Conjugate(A), A.H, A.T, rules.conjugate(A)):
        assert other.properties == A.properties


@pytest.mark.parametrize("dtype", DTYPES)
def test_inverses(dtype):
    A, a = Bare(normal((3, 3), dtype)), normal((3, 3), dtype)
    tolerance = 1e-4 if "32" in dtype or dtype == "complex64" else 1e-12
    close(A.H.inverse().to_dense(), np.linalg.inv(a.conj().T), tolerance)
    close(A.T.inverse().to_dense(), np.linalg.inv(a.T), tolerance)
    assert isinstance(A.H.inverse(), Dense)


def test_norm_is_that_of_the_operator():
    A, a = bare((3, 2), dtype="complex128")
    for op in (A.H, A.T, rules.conjugate(A)):
        close(op.norm(), np.asarray(np.linalg.norm(a)), 1e-14)


def test_an_operator_without_adjoint_says_so_when_asked_for_it():
    A = Function(lambda x: 2 * x, shape=(2, 2), dtype="float64")
    with pytest.raises(NotImplementedError, match=r"without an adjoint: pass rmatmat="):
        A.H @ np.ones(2)
    close(A.H.to_dense(), 2 * np.eye(2), 0)
