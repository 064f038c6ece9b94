"""Adjoint: Aᴴ, the lazy default where no rule keeps the structure."""

from kronlin.algebra import rules
from kronlin.algebra.operator import Operator
from kronlin.algebra.turned import Turned
from kronlin.arrays import Array, adjoint, conj


class Adjoint(Turned):
    """Aᴴ of an operator that computes Aᴴ Y itself.

    >>> import numpy as np, kronlin as kl
    >>> roots = kl.FisherRoot(np.ones((4, 3)), np.ones((4, 2)))
    >>> roots.H
    Adjoint(4×6, float64: FisherRoot(6×4))
    """

    def _matmat(self, x: Array) -> Array:
        return self.base._rmatmat(x)

    def _rmatmat(self, y: Array) -> Array:
        return self.base._matmat(y)

    @staticmethod
    def _turn(a: Operator) -> Operator:
        turned: Operator = a.H
        return turned

    _turn_matrix = staticmethod(adjoint)
    _turn_entries = staticmethod(conj)


@rules.adjoint.register(Operator)
def adjoint_by_default(a: Operator) -> Operator:
    """Keep A and let it compute Aᴴ Y."""
    return Adjoint(a)


@rules.adjoint.register(Adjoint)
def adjoint_of_adjoint(a: Adjoint) -> Operator:
    """(Aᴴ)ᴴ = A."""
    return a.base
