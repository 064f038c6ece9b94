"""Transpose of a complex operator that has no rule for it."""

import pytest

from kronlin.algebra import Adjoint, Conjugate, Transpose, rules
from kronlin.operators import KhatriRao
from kronlin.testing import check_operator
from tests.algebra.bare import agree, bare
from tests.matrices import COMPLEX, each_dtype, normal


@each_dtype()
def test_on_every_library(lib, dtype):
    A, a = bare((3, 2), lib, dtype)
    agree(A.T, a.T, lib, Transpose if dtype in COMPLEX else Adjoint)
    agree(A.T.T, a, lib)
    agree(A.T.H, a.conj(), lib)
    agree(A.H.T, a.conj(), lib)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("shape", [(3, 3), (3, 2), (2, 3), (1, 1), (0, 2), (0, 0)])
def test_laws(dtype, shape):
    A, a = bare(shape, dtype=dtype)
    check_operator(A.T, a.T)


def test_the_three_close_under_one_another():
    """Each of two different involutions gives the third, and twice the same gives A itself."""
    A, _ = bare((3, 2), dtype="complex128")
    assert A.T.T is A
    assert type(A.T.H) is Conjugate
    assert A.T.H.base is A
    assert type(rules.conjugate(A.T)) is Adjoint
    assert type(A.H.T) is Conjugate
    assert type(rules.conjugate(A).H) is Transpose
    assert rules.conjugate(A).T is A.H


def test_a_real_operator_never_sees_it():
    A, _ = bare((3, 2))
    assert A.T is A.H
    assert A.T.T is A


def test_a_rule_that_conjugates_is_used():
    """The transpose of an operator that conjugates itself is an adjoint, which has the rules of one."""
    left, right = normal((2, 3), "complex128"), normal((2, 3), "complex128", 1)
    A = KhatriRao(left, right)
    assert type(A.T) is Adjoint
    assert type(A.T.base) is KhatriRao
    agree(A.T, A.to_dense().T)
    agree(A.T.T, A.to_dense(), kind_of=KhatriRao)
