"""Conjugate of an operator that has no rule for it."""

import numpy as np
import pytest

from kronlin.algebra import Conjugate, assume, rules
from kronlin.operators import Dense
from kronlin.testing import check_operator
from tests.algebra.bare import Bare, agree, bare
from tests.matrices import COMPLEX, each_dtype, normal, positive
from tests.nets import close


@each_dtype()
def test_on_every_library(lib, dtype):
    A, a = bare((3, 2), lib, dtype)
    agree(rules.conjugate(A), a.conj(), lib, Conjugate if dtype in COMPLEX else Bare)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("shape", [(3, 3), (3, 2), (2, 3), (0, 2), (0, 0)])
def test_laws(dtype, shape):
    A, a = bare(shape, dtype=dtype)
    check_operator(rules.conjugate(A), a.conj())


def test_twice_is_the_operator_itself():
    A, _ = bare((3, 2), dtype="complex128")
    assert rules.conjugate(rules.conjugate(A)) is A


def test_a_real_operator_is_its_own_conjugate():
    A, _ = bare((3, 2))
    assert rules.conjugate(A) is A


def test_it_is_the_transpose_of_a_self_adjoint_operator():
    A = assume(Bare(positive(3, "complex128")), "self-adjoint")
    assert type(A.T) is Conjugate
    assert A.T.is_self_adjoint is True
    assert A.T.T is A


def test_it_solves_with_the_operator():
    """No inverse is formed where the operator has a way to solve of its own."""
    A = Bare(positive(3, "complex128"))
    solved = Conjugate(A.power(2)).solve(np.ones(3))
    close(solved, np.linalg.solve((A.array @ A.array).conj(), np.ones(3)))


def test_projection_keeps_the_image():
    a, z = normal((3, 3), "complex128"), normal((3, 2), "complex128", 1)
    image, matrix = rules.project(Conjugate(Bare(a)), Dense(z))
    close(image.to_dense(), a.conj() @ z)
    close(matrix, z.conj().T @ a.conj() @ z)
