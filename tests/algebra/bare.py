"""An operator without a rule of its own, so that the defaults of the algebra answer, and how to compare with NumPy."""

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import adjoint, kind
from tests.libraries import NUMPY
from tests.matrices import eps, normal, wide


class Bare(Operator):
    """A matrix that is known by its products only."""

    def __init__(self, array):
        self.array = array
        self._define(array, shape=tuple(array.shape[-2:]), batch=tuple(array.shape[:-2]))

    def _matmat(self, x):
        return self.array @ x

    def _rmatmat(self, y):
        return adjoint(self.array) @ y


def bare(shape, lib=NUMPY, dtype="float64", seed=0):
    """A bare operator with normal entries, and its matrix."""
    dense = normal(shape, dtype, seed)
    return Bare(lib.asarray(dense)), dense


def agree(op, dense, lib=NUMPY, kind_of=None):
    """Assert that an operator is this matrix, in products from both sides, and of this type, and keeps its dtype."""
    if kind_of is not None:
        assert type(op) is kind_of, f"{op!r} is not a {kind_of.__name__}"
    assert op.shape == dense.shape
    dtype = dense.dtype.name
    exact = wide(dense)
    x, y = normal((dense.shape[1], 2), dtype, seed=7), normal((dense.shape[0], 2), dtype, seed=8)
    pairs = [
        (op @ lib.asarray(x), exact @ x),
        (op @ lib.asarray(x[:, 0]), exact @ x[:, 0]),
        (op.H @ lib.asarray(y), exact.conj().T @ y),
        (op.T @ lib.asarray(y), exact.T @ y),
        (op.to_dense(), exact),
    ]
    for found, wanted in pairs:
        assert lib.owns(found)
        assert kind(found).dtype_name == dtype
        error = np.abs(lib.numpy(found) - wanted).max(initial=0)
        size = np.abs(exact).sum(initial=0) * 10
        assert error <= 50 * eps(dtype) * size, f"{op!r}: error {error:.1e}"
