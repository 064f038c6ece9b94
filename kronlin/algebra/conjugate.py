"""Conjugate: the entrywise complex conjugate of A, the lazy default where no rule keeps the structure."""

from kronlin.algebra import rules
from kronlin.algebra.operator import Operator
from kronlin.algebra.turned import Turned
from kronlin.arrays import Array, conj


class Conjugate(Turned):
    """The conjugate of a complex A: x ↦ conj(A conj(x)).

    >>> import numpy as np, kronlin as kl
    >>> kl.assume(kl.Function(lambda x: 2 * x, shape=(3, 3), dtype="complex128"), "pd").T
    Conjugate(3×3, complex128, pd: Function(3×3))
    """

    def _matmat(self, x: Array) -> Array:
        return conj(self.base._matmat(conj(x)))

    @staticmethod
    def _turn_shape(rows: int, columns: int) -> tuple[int, int]:
        return rows, columns

    @staticmethod
    def _turn(a: Operator) -> Operator:
        turned: Operator = rules.conjugate(a)
        return turned

    _turn_matrix = staticmethod(conj)
    _turn_entries = staticmethod(conj)


@rules.conjugate.register(Operator)
def conjugate_by_default(a: Operator) -> Operator:
    """A real operator is its own conjugate; a complex one is wrapped."""
    return Conjugate(a) if a.kind.is_complex else a


@rules.conjugate.register(Conjugate)
def conjugate_of_conjugate(a: Conjugate) -> Operator:
    """Twice the conjugate is the operator."""
    return a.base


@rules.adjoint.register(Conjugate)
def adjoint_of_conjugate(a: Conjugate) -> Operator:
    """The adjoint of the conjugate is the conjugate of the adjoint: Aᵀ."""
    turned: Operator = rules.conjugate(a.base.H)
    return turned


@rules.solve.register(Conjugate)
def solve_conjugate(a: Conjugate, b: Array) -> Array:
    """The conjugate of A⁻¹ times the conjugate of b."""
    return conj(rules.solve(a.base, conj(b)))


@rules.project.register(Conjugate, Operator)
def project_conjugate(a: Conjugate, z: Operator) -> tuple[Operator, Array]:
    """Project A on the conjugate of Z, and conjugate both results."""
    image, matrix = rules.project(a.base, rules.conjugate(z))
    return rules.conjugate(image), conj(matrix)
