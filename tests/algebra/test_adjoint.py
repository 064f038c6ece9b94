"""Adjoint of an operator that has no rule for it."""

import numpy as np
import pytest

from kronlin.algebra import Adjoint
from kronlin.operators import Function
from kronlin.testing import check_operator
from tests.algebra.bare import agree, bare
from tests.matrices import DTYPES, each_dtype
from tests.nets import close


@each_dtype()
def test_on_every_library(lib, dtype):
    A, a = bare((3, 2), lib, dtype)
    agree(A.H, a.conj().T, lib, Adjoint)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 3), (3, 2), (2, 3), (1, 1), (0, 2), (2, 0), (0, 0)])
def test_laws(dtype, shape):
    A, a = bare(shape, dtype=dtype)
    check_operator(A.H, a.conj().T)


def test_twice_is_the_operator_itself():
    A, _ = bare((3, 2), dtype="complex128")
    assert A.H.H is A
    assert Adjoint(A).H is A


def test_an_operator_without_adjoint_says_so_when_asked_for_it():
    A = Function(lambda x: 2 * x, shape=(2, 2), dtype="float64")
    with pytest.raises(NotImplementedError, match=r"without an adjoint: pass rmatmat="):
        A.H @ np.ones(2)
    close(A.H.to_dense(), 2 * np.eye(2), 0)
