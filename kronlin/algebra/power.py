"""Power: Aᵖ for a whole p ≥ 2, lazily: p products, no decomposition."""

from kronlin.algebra import rules
from kronlin.algebra.identity import Identity
from kronlin.algebra.operator import Operator
from kronlin.algebra.properties import Properties, of_power
from kronlin.arrays import Array


class Power(Operator):
    """Aᵖ = A A … A of a square A that need not be self-adjoint; an application costs p products with A.

    >>> import numpy as np, kronlin as kl
    >>> sums = kl.Function(lambda x: np.cumsum(x, axis=0), shape=(3, 3), dtype="float64")
    >>> sums.power(2)
    Power(3×3, float64: Function(3×3)^2)
    >>> sums.power(2) @ np.ones(3)
    array([1., 3., 6.])
    """

    def __init__(self, base: Operator, *, exponent: int) -> None:
        self.base = base
        self.exponent = exponent
        self._define(base, shape=base.shape, batch=base.batch, exponent=exponent)

    def _derive(self) -> Properties:
        return of_power(self.base.properties, self.exponent)

    @property
    def _inside(self) -> str:
        return f"{self.base._summary}^{self.exponent}"

    def _matmat(self, x: Array) -> Array:
        for _ in range(self.exponent):
            x = self.base._matmat(x)
        return x


@rules.power.register(Operator, level=1)
def whole_power(a: Operator, p: float) -> Operator:
    """A⁰ = I, Aᵖ as p factors, A⁻ᵖ = (A⁻¹)ᵖ."""
    if not isinstance(p, int):
        return NotImplemented
    if p == 0:
        return Identity(a.shape[0], like=a)
    return Power(a, exponent=p) if p > 0 else a.inverse().power(-p)


@rules.power.register(Power)
def power_of_power(a: Power, p: float) -> Operator:
    """(Aᵖ)ᑫ = Aᵖᑫ for a whole q."""
    return a.base.power(a.exponent * p) if isinstance(p, int) else NotImplemented


@rules.adjoint.register(Power)
def adjoint_of_power(a: Power) -> Operator:
    """(Aᵖ)ᴴ = (Aᴴ)ᵖ."""
    return Power(a.base.H, exponent=a.exponent)


@rules.conjugate.register(Power)
def conjugate_of_power(a: Power) -> Operator:
    """The conjugate of Aᵖ is the power of the conjugate."""
    return Power(rules.conjugate(a.base), exponent=a.exponent)


@rules.inverse.register(Power)
def inverse_of_power(a: Power) -> Operator:
    """(Aᵖ)⁻¹ = (A⁻¹)ᵖ."""
    return Power(a.base.inverse(), exponent=a.exponent)


@rules.pinv.register(Power)
def pinv_of_power(a: Power) -> Operator:
    """(Aᵖ)⁺ = (A⁺)ᵖ of a self-adjoint A."""
    return Power(a.base.pinv(), exponent=a.exponent) if a.base.is_self_adjoint else NotImplemented


@rules.solve.register(Power)
def solve_power(a: Power, b: Array) -> Array:
    """Solve p times with A."""
    for _ in range(a.exponent):
        b = rules.solve(a.base, b)
    return b


@rules.eigh.register(Power)
def eigh_of_power(a: Power) -> Operator:
    """The eigenvectors of a self-adjoint A, its eigenvalues raised."""
    return a.base.eigh().power(a.exponent) if a.base.is_self_adjoint else NotImplemented


@rules.trace.register(Power)
def trace_of_power(a: Power) -> Array:
    """tr A²ᑫ = ‖Aᑫ‖² of a self-adjoint A."""
    half, odd = divmod(a.exponent, 2)
    return a.base.power(half).norm() ** 2 if a.base.is_self_adjoint and not odd else NotImplemented


@rules.slogdet.register(Power)
def slogdet_of_power(a: Power) -> tuple[Array, Array]:
    """det Aᵖ = (det A)ᵖ."""
    sign, logarithm = a.base.slogdet()
    return sign**a.exponent, logarithm * a.exponent
