"""Operators with one planted fault each, and the law that must name it."""

import numpy as np

import kronlin as kl
from kronlin.algebra import rules
from tests.matrices import normal, positive

A = normal((3, 4))
S = positive(4)


class Planted(kl.Operator):
    """A matrix whose product, adjoint or promise a subclass spoils."""

    def __init__(self, array=A):
        self.array = array
        self._define(array, shape=array.shape)

    def _matmat(self, x):
        return self.array @ x

    def _rmatmat(self, y):
        return self.array.conj().T @ y


class WrongAdjoint(Planted):
    def _rmatmat(self, y):
        return -super()._rmatmat(y)


class NoConjugate(Planted):
    def _rmatmat(self, y):
        return self.array.T @ y


class WritesIntoItsInput(Planted):
    def _matmat(self, x):
        y = self.array @ x
        x *= 0
        return y


class ForgetsColumns(Planted):
    def _matmat(self, x):
        return self.array @ np.repeat(x[:, :1], x.shape[1], axis=1)


class LeaksDouble(Planted):
    def _matmat(self, x):
        return self.array.astype("float64") @ x


class Drifts(Planted):
    def _matmat(self, x):
        self.array = self.array * 1.01
        return self.array @ x


class NotLinear(Planted):
    def _matmat(self, x):
        return self.array @ abs(x)


class FalsePromise(Planted):
    def _derive(self):
        return kl.algebra.properties.PD


class ColumnMajor(Planted):
    def _matmat(self, x):
        return (self.array @ x)[[0, 2, 1], :]


class WrongTrace(Planted):
    pass


class WrongDeterminant(Planted):
    pass


class WrongInverse(Planted):
    pass


class RefusesAsIndefinite(Planted):
    pass


class WrongDiagonal(Planted):
    pass


class DampedTwice(Planted):
    pass


@rules.trace.register(WrongTrace)
def wrong_trace(a):
    return 2 * np.trace(a.array)


@rules.slogdet.register(WrongDeterminant)
def wrong_determinant(a):
    sign, logarithm = np.linalg.slogdet(a.array)
    return sign, 2 * logarithm


@rules.inverse.register(WrongInverse)
def wrong_inverse(a):
    return kl.Dense(np.linalg.inv(a.array) * 1.001)


@rules.inverse.register(RefusesAsIndefinite)
def refused_inverse(a):
    raise kl.NotPositiveDefiniteError("not positive definite")


@rules.diagonal.register(WrongDiagonal)
def wrong_diagonal(a):
    return np.diag(a.array)[::-1].copy()


@rules.shift.register(DampedTwice)
def damped_twice(a, c):
    return kl.Dense(a.array + 2 * c * np.eye(len(a.array)))


FAULTS = {
    "wrong adjoint": (WrongAdjoint(), None),
    "adjoint without conjugate": (NoConjugate(normal((3, 4), "complex128")), None),
    "input overwritten": (WritesIntoItsInput(), A),
    "first column only": (ForgetsColumns(), A),
    "double precision leaks": (LeaksDouble(A.astype("float32")), A),
    "state changes": (Drifts(A.copy()), A),
    "not linear": (NotLinear(), None),
    "false promise": (FalsePromise(np.diag([1.0, -1.0])), None),
    "rows in another order": (ColumnMajor(), A),
    "wrong trace": (WrongTrace(S), S),
    "wrong determinant": (WrongDeterminant(S), S),
    "wrong inverse": (WrongInverse(S), S),
    "definite but refused": (RefusesAsIndefinite(S), S),
    "wrong diagonal": (WrongDiagonal(S), S),
    "damped twice": (DampedTwice(S), S),
}
