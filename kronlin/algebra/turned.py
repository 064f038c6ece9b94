"""Turned: what Aᴴ, the conjugate of A and Aᵀ have in common. Each obeys the rules of A, turned."""

from kronlin.algebra import rules
from kronlin.algebra.operator import Operator
from kronlin.algebra.properties import Properties
from kronlin.algebra.scaled import Number, Scaled
from kronlin.arrays import Array


class Turned(Operator):
    """A seen through an involution that commutes with sums, inverses and powers: adjoint, conjugate or transpose."""

    def __init__(self, base: Operator) -> None:
        self.base = base
        rows, columns = base.shape
        self._define(base, shape=self._turn_shape(rows, columns), batch=base.batch)

    def _derive(self) -> Properties:
        return self.base.properties

    @staticmethod
    def _turn_shape(rows: int, columns: int) -> tuple[int, int]:
        """The shape, turned."""
        return columns, rows

    @staticmethod
    def _turn(a: Operator) -> Operator:
        """Another operator, turned."""
        raise NotImplementedError

    @staticmethod
    def _turn_matrix(x: Array) -> Array:
        """A matrix, turned."""
        raise NotImplementedError

    @staticmethod
    def _turn_number(c: Number) -> Number:
        """What becomes of c when c A is turned."""
        return c.conjugate()

    @staticmethod
    def _turn_entries(x: Array) -> Array:
        """What becomes of the diagonal, the trace and the determinant."""
        raise NotImplementedError


@rules.inverse.register(Turned)
def inverse_of_turned(a: Turned) -> Operator:
    """The inverse of A, turned: (Aᴴ)⁻¹ = (A⁻¹)ᴴ."""
    return a._turn(a.base.inverse())


@rules.pinv.register(Turned)
def pinv_of_turned(a: Turned) -> Operator:
    """The pseudo-inverse of A, turned."""
    return a._turn(a.base.pinv())


@rules.power.register(Turned)
def power_of_turned(a: Turned, p: float) -> Operator:
    """The power of A, turned."""
    return a._turn(a.base.power(p))


@rules.shift.register(Turned)
def shift_turned(a: Turned, c: Number) -> Operator:
    """Aᴴ + c I = (A + c̄ I)ᴴ."""
    return a._turn(rules.shift(a.base, a._turn_number(c)))


@rules.scale.register(Turned)
def scale_turned(a: Turned, factor: Number) -> Operator:
    """c Aᴴ = (c̄ A)ᴴ, where A has a rule for that."""
    scaled = rules.scale(a.base, a._turn_number(factor))
    return NotImplemented if isinstance(scaled, Scaled) or scaled is a.base else a._turn(scaled)


@rules.eigh.register(Turned)
def eigh_of_turned(a: Turned) -> Operator:
    """The eigendecomposition of A, turned."""
    return a._turn(a.base.eigh()) if a.base.is_self_adjoint else NotImplemented


@rules.modulus2.register(Turned)
def modulus2_of_turned(a: Turned) -> Operator:
    """The squared moduli of A, turned."""
    return a._turn(rules.modulus2(a.base))


@rules.to_dense.register(Turned)
def turned_to_dense(a: Turned) -> Array:
    """Form A and turn it over: its products may be cheaper."""
    return a._turn_matrix(a.base.to_dense())


@rules.norm.register(Turned)
def norm_of_turned(a: Turned) -> Array:
    """‖Aᴴ‖ = ‖A‖."""
    return a.base.norm()


@rules.trace.register(Turned)
def trace_of_turned(a: Turned) -> Array:
    """tr Aᴴ is the conjugate of tr A, tr Aᵀ = tr A."""
    return a._turn_entries(a.base.trace())


@rules.diagonal.register(Turned)
def diagonal_of_turned(a: Turned) -> Array:
    """The diagonal of A, conjugated or as it is."""
    return a._turn_entries(a.base.diagonal())


@rules.slogdet.register(Turned)
def slogdet_of_turned(a: Turned) -> tuple[Array, Array]:
    """det Aᴴ is the conjugate of det A, det Aᵀ = det A."""
    sign, logarithm = a.base.slogdet()
    return a._turn_entries(sign), logarithm
