"""The sound operators in which faults are planted, each with its matrix."""

from functools import reduce

import numpy as np

import kronlin as kl
from kronlin.arrays import adjoint
from tests.libraries import STRICT_DEVICE
from tests.matrices import hermitian, normal, positive


class Matrix(kl.Operator):
    """An operator as a user writes one."""

    def __init__(self, array):
        self.array = array
        *batch, rows, columns = array.shape
        self._define(array, shape=(rows, columns), batch=tuple(batch))

    def _matmat(self, x):
        return self.array @ x

    def _rmatmat(self, y):
        return adjoint(self.array) @ y


def user(array):
    """A maker of the user's operator with this matrix."""
    return lambda: (Matrix(array.copy()), array)


RECTANGLE = user(normal((3, 4)))
COMPLEX = user(normal((3, 4), "complex128"))
SINGLE = user(normal((3, 4), "float32"))
SQUARE = user(normal((3, 3)) + 2 * np.eye(3))
COMPLEX_SQUARE = user(normal((3, 3), "complex128") + 2 * np.eye(3))
DEFINITE = user(positive(3))


def on_another_device():
    """The user's operator on a device that is not the default one."""
    array = normal((3, 4))
    return Matrix(STRICT_DEVICE.asarray(array)), array


def kronecker(*factors):
    """A maker of a Kronecker product of matrices."""
    return lambda: (kl.Kronecker(*factors), reduce(np.kron, factors))


UNEQUAL = kronecker(normal((2, 2)) + 2 * np.eye(2), normal((3, 3), seed=1) + 2 * np.eye(3))
SYMMETRIC = kronecker(positive(2), positive(3))
COMPLEX_KRONECKER = kronecker(normal((2, 2), "complex128") + 2 * np.eye(2), normal((2, 2), "complex128", 1))


def khatri_rao():
    """A complex Khatri-Rao product, tall."""
    left, right = normal((2, 3), "complex128"), normal((3, 3), "complex128", 1)
    return kl.KhatriRao(left, right), np.einsum("ij,kj->ikj", left, right).reshape(6, 3)


def fisher_root():
    """The root of a Fisher block, shared over two positions."""
    a, g = normal((2, 2, 2), "complex128"), normal((2, 2, 1, 2), "complex128", 1)
    columns = [sum(np.kron(g[i, s, 0], a[i, s]) for s in range(2)) for i in range(2)]
    return kl.FisherRoot(a, g), np.stack(columns, axis=1)


def low_rank():
    """U C Vᴴ, complex."""
    u, c, v = (normal(shape, "complex128", i) for i, shape in enumerate([(4, 2), (2, 2), (3, 2)]))
    return kl.LowRank(u, c, v), u @ c @ v.conj().T


def low_rank_square():
    """U C Uᴴ with a C that is not self-adjoint."""
    u, c = normal((3, 2), "complex128"), normal((2, 2), "complex128", 1)
    return kl.LowRank(u, c), u @ c @ u.conj().T


def updated(c=None):
    """D + U C Uᴴ of a diagonal, to be inverted by Woodbury."""
    d, u = np.array([1.0, 2.0, 3.0]), normal((3, 1))
    core = np.eye(1) if c is None else np.array([[c]])
    return kl.Diagonal(d) + kl.LowRank(u, core), np.diag(d) + u @ core @ u.T


def updated_with_core():
    """D + U C Uᴴ with C = 5."""
    return updated(5.0)


def spectral():
    """Q diag(w) Qᴴ + rest (I - Q Qᴴ), with a complement."""
    q = np.linalg.qr(normal((3, 3)))[0][:, :2]
    w = np.array([1.0, 4.0])
    return kl.Spectral(q, w, rest=0.5), (q * (w - 0.5)) @ q.T + 0.5 * np.eye(3)


def symmetric():
    """A dense symmetric matrix with a negative determinant."""
    a = np.diag([1.0, -2.0, 3.0]) + 0.1 * hermitian(3)
    return kl.Dense(a), a


def definite_single():
    """A dense positive definite matrix in single precision."""
    a = positive(3, "float32")
    return kl.Dense(a), a


def definite():
    """A dense matrix with the true promise to be positive definite."""
    a = positive(3)
    return kl.assume(kl.Dense(a), "pd"), a


def rank_one():
    """A dense symmetric matrix of rank one."""
    u = np.array([[1.0], [2.0], [3.0]]) / 3
    return kl.Dense(u @ u.T), u @ u.T


def diagonal():
    """A diagonal."""
    d = np.array([1.0, 2.0, 4.0])
    return kl.Diagonal(d), np.diag(d)


def stack():
    """Operators side by side."""
    a, b = normal((2, 2)), normal((2, 3), seed=1)
    return kl.HStack([a, b]), np.hstack([a, b])


def blocks():
    """Blocks of two kinds, so that equal ones do not stand side by side."""
    a, b, c = normal((2, 2)), normal((1, 1), seed=1), normal((2, 2), seed=2)
    dense = np.zeros((5, 5))
    dense[:2, :2], dense[2:3, 2:3], dense[3:, 3:] = a, b, c
    return kl.BlockDiagonal([a, b, c]), dense


def turned():
    """The adjoint of the user's operator."""
    op, dense = COMPLEX_SQUARE()
    return op.H, dense.conj().T


def conjugated():
    """The transpose of the user's operator: a conjugate of an adjoint."""
    op, dense = COMPLEX_SQUARE()
    return op.T, dense.T


def product():
    """A product of two of the user's operators."""
    a, b = normal((3, 3)) + 2 * np.eye(3), normal((3, 3), seed=1) + 2 * np.eye(3)
    return Matrix(a) @ Matrix(b), a @ b


def three_terms():
    """A sum that no rule joins."""
    a, b, c = (normal((3, 3), seed=seed) for seed in range(3))
    return Matrix(a) + Matrix(b) + Matrix(c), a + b + c


def shifted():
    """A sum with a multiple of the identity."""
    a = positive(3)
    return Matrix(a) + 0.5 * kl.Identity(3, like=a), a + 0.5 * np.eye(3)


def negative_multiple():
    """-2 A of a positive definite operator."""
    a = positive(3)
    return -2 * kl.assume(Matrix(a), "pd"), -2 * a


class Weighted(Matrix):
    """A matrix times a number of its own."""

    def __init__(self, array, weight=1.0):
        super().__init__(array)
        self.weight = weight
        self.options["weight"] = weight

    def _matmat(self, x):
        return self.weight * super()._matmat(x)

    def _rmatmat(self, y):
        return self.weight * super()._rmatmat(y)


def weighted():
    """2.5 A, with the number as an option of the operator."""
    array = normal((3, 3))
    return Weighted(array, 2.5), 2.5 * array
