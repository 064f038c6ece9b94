"""Transpose: Aᵀ of a complex operator without a better rule; for real ones Aᵀ = Aᴴ."""

from kronlin.algebra import rules
from kronlin.algebra.adjoint import Adjoint
from kronlin.algebra.conjugate import Conjugate
from kronlin.algebra.operator import Operator
from kronlin.algebra.scaled import Number
from kronlin.algebra.turned import Turned
from kronlin.arrays import Array, conj, namespace


class Transpose(Turned):
    """Aᵀ x = conj(Aᴴ conj(x)) of a complex operator that computes Aᴴ Y itself.

    >>> import numpy as np, kronlin as kl
    >>> A = kl.Function(lambda x: 1j * x, lambda y: -1j * y, shape=(3, 3), dtype="complex128")
    >>> A.T
    Transpose(3×3, complex128: Function(3×3))
    >>> A.T.T is A
    True
    """

    def _matmat(self, x: Array) -> Array:
        return conj(self.base._rmatmat(conj(x)))

    @staticmethod
    def _turn(a: Operator) -> Operator:
        turned: Operator = a.T
        return turned

    @staticmethod
    def _turn_matrix(x: Array) -> Array:
        return namespace(x).matrix_transpose(x)

    @staticmethod
    def _turn_number(c: Number) -> Number:
        return c

    @staticmethod
    def _turn_entries(x: Array) -> Array:
        return x


@rules.conjugate.register(Adjoint)
def conjugate_of_adjoint(a: Adjoint) -> Operator:
    """The conjugate of Aᴴ is Aᵀ; where a rule conjugates A it is the adjoint of that conjugate."""
    if not a.kind.is_complex:
        return a
    turned = rules.conjugate(a.base)
    return Transpose(a.base) if isinstance(turned, Conjugate) else turned.H


@rules.conjugate.register(Transpose)
def conjugate_of_transpose(a: Transpose) -> Operator:
    """The conjugate of Aᵀ is Aᴴ."""
    turned: Operator = a.base.H
    return turned


@rules.adjoint.register(Transpose)
def adjoint_of_transpose(a: Transpose) -> Operator:
    """(Aᵀ)ᴴ is the conjugate of A."""
    turned: Operator = rules.conjugate(a.base)
    return turned
