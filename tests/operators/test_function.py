"""Function: an operator by its product."""

import numpy as np
import pytest

import kronlin as kl
from tests.libraries import JAX
from tests.matrices import each_dtype, normal
from tests.operators.laws import check


@each_dtype()
def test_laws(lib, dtype):
    a = normal((4, 3), dtype)
    here = lib.asarray(a)
    there = lib.asarray(a.conj().T)
    op = kl.Function(lambda x: here @ x, lambda y: there @ y, shape=(4, 3), like=here)
    if lib is JAX:
        check(op, a, lib)
        return
    x = normal((3, 2), dtype, seed=1)
    np.testing.assert_allclose(lib.numpy(op @ lib.asarray(x)), a @ x, rtol=1e-4)
    np.testing.assert_allclose(lib.numpy(op.H.to_dense()), a.conj().T, rtol=1e-6)
    np.testing.assert_allclose(lib.numpy(op.T.to_dense()), a.T, rtol=1e-6)
    assert lib.owns(op @ lib.asarray(x))


def test_without_an_adjoint_the_error_says_what_to_pass():
    with pytest.raises(NotImplementedError, match=r"pass rmatmat=, or promise kronlin\.assume"):
        kl.Function(lambda x: x, shape=(2, 2), dtype="float64").H @ np.ones(2)
    promised = kl.assume(kl.Function(lambda x: x, shape=(2, 2), dtype="float64"), "self-adjoint")
    np.testing.assert_array_equal(promised.H @ np.ones(2), np.ones(2))


def test_a_result_of_the_wrong_shape_or_dtype_is_refused():
    with pytest.raises(ValueError, match=r"returned shape \(3, 1\) .* where \(2, 1\) is due"):
        kl.Function(lambda x: np.ones((3, 1)), shape=(2, 2), dtype="float64") @ np.ones(2)
    with pytest.raises(ValueError, match="it must keep the dtype"):
        kl.Function(lambda x: x.astype("float32"), shape=(2, 2), dtype="float64") @ np.ones(2)


def test_bad_input():
    with pytest.raises(TypeError, match="takes a callable"):
        kl.Function(np.eye(2), shape=(2, 2), dtype="float64")
    with pytest.raises(TypeError, match="needs like="):
        kl.Function(lambda x: x, shape=(2, 2))
