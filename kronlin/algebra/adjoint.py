"""Adjoint and Conjugate: the lazy defaults where no rule keeps the structure."""

from kronlin.algebra import rules
from kronlin.algebra.operator import Operator
from kronlin.algebra.properties import Properties
from kronlin.arrays import Array, conj


class Adjoint(Operator):
    """Aᴴ of an operator that computes Aᴴ Y itself.

    >>> import numpy as np, kronlin as kl
    >>> roots = kl.FisherRoot(np.ones((4, 3)), np.ones((4, 2)))
    >>> roots.H
    Adjoint(4×6, float64: FisherRoot(6×4))
    """

    def __init__(self, base: Operator) -> None:
        self.base = base
        self._define(base, shape=(base.shape[1], base.shape[0]), batch=base.batch)

    def _derive(self) -> Properties:
        return self.base.properties

    def _matmat(self, x: Array) -> Array:
        return self.base._rmatmat(x)

    def _rmatmat(self, y: Array) -> Array:
        return self.base._matmat(y)


class Conjugate(Operator):
    """The entrywise complex conjugate of A: x ↦ conj(A conj(x))."""

    def __init__(self, base: Operator) -> None:
        self.base = base
        self._define(base, shape=base.shape, batch=base.batch)

    def _derive(self) -> Properties:
        return self.base.properties

    def _matmat(self, x: Array) -> Array:
        return conj(self.base._matmat(conj(x)))


@rules.adjoint.register(Operator)
def adjoint_by_default(a: Operator) -> Operator:
    """Keep A and let it compute Aᴴ Y."""
    return Adjoint(a)


@rules.adjoint.register(Adjoint)
def adjoint_of_adjoint(a: Adjoint) -> Operator:
    """(Aᴴ)ᴴ = A."""
    return a.base


@rules.adjoint.register(Conjugate)
def adjoint_of_conjugate(a: Conjugate) -> Operator:
    """The adjoint of the conjugate is the conjugate of the adjoint."""
    return Conjugate(a.base.H)


@rules.conjugate.register(Operator)
def conjugate_by_default(a: Operator) -> Operator:
    """A real operator is its own conjugate; a complex one is wrapped."""
    return Conjugate(a) if a.kind.is_complex else a


@rules.conjugate.register(Conjugate)
def conjugate_of_conjugate(a: Conjugate) -> Operator:
    """Twice the conjugate is the operator."""
    return a.base


@rules.inverse.register(Adjoint)
def inverse_of_adjoint(a: Adjoint) -> Operator:
    """(Aᴴ)⁻¹ = (A⁻¹)ᴴ."""
    return a.base.inverse().H


@rules.inverse.register(Conjugate)
def inverse_of_conjugate(a: Conjugate) -> Operator:
    """The inverse of the conjugate is the conjugate of the inverse."""
    return rules.conjugate(a.base.inverse())


@rules.to_dense.register(Adjoint)
def adjoint_to_dense(a: Adjoint) -> Array:
    """Form A and turn it over: its products may be cheaper."""
    return conj(a.kind.xp.matrix_transpose(a.base.to_dense()))


@rules.to_dense.register(Conjugate)
def conjugate_to_dense(a: Conjugate) -> Array:
    """Conjugate the entries of A."""
    return conj(a.base.to_dense())


@rules.norm.register(Adjoint)
def norm_of_adjoint(a: Adjoint) -> Array:
    """‖Aᴴ‖ = ‖A‖."""
    return a.base.norm()
