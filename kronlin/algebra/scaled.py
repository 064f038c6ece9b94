"""Scaled: c A."""

from math import isfinite, log

from kronlin.algebra import rules
from kronlin.algebra.operator import Operator
from kronlin.algebra.properties import Properties, properties
from kronlin.arrays import Array, cast, kind

Number = complex | float | int


class Scaled(Operator):
    """c A, with c a Python number.

    >>> import numpy as np, kronlin as kl
    >>> 3 * kl.Kronecker(np.eye(2), np.eye(3))
    Scaled(6×6, float64, self-adjoint: 3 · Kronecker(2×2 ⊗ 3×3))
    """

    def __init__(self, base: Operator, *, factor: Number) -> None:
        self.base = base
        self.factor = factor
        self._define(base, shape=base.shape, batch=base.batch, factor=factor)

    def _derive(self) -> Properties:
        known = self.base.properties
        if self.factor.imag:
            return Properties()
        if self.factor == 0:
            return properties(psd=True, pd=False if self.shape[0] else None)
        real = self.factor.real
        if real > 0:
            return known
        return properties(self_adjoint=known.self_adjoint, psd=False if known.pd else None)

    @property
    def _summary(self) -> str:
        return f"{self.factor:.4g} · {self.base._summary}"

    @property
    def _inside(self) -> str:
        return self._summary

    @property
    def _note(self) -> str:
        return f"by {self.factor:.4g}"

    def _matmat(self, x: Array) -> Array:
        return self.factor * self.base._matmat(x)


@rules.scale.register(Operator)
def scale_by_default(a: Operator, factor: Number) -> Operator:
    """Keep the factor beside the operator; a complex one makes a real operator complex."""
    if isinstance(factor, complex):
        if factor.imag == 0:
            factor = factor.real
        elif not a.kind.is_complex:
            a = a._astype(a.kind.complex)
    return a if factor == 1 else Scaled(a, factor=factor)


@rules.scale.register(Scaled)
def scale_scaled(a: Scaled, factor: Number) -> Operator:
    """c (d A) = (c d) A."""
    return rules.scale(a.base, factor * a.factor)


@rules.compose.register(Scaled, Operator, level=1)
@rules.compose.register(Scaled, Scaled, level=1)
def compose_scaled_left(a: Scaled, b: Operator) -> Operator:
    """(c A) B = c (A B)."""
    return rules.scale(a.base @ b, a.factor)


@rules.compose.register(Operator, Scaled, level=1)
def compose_scaled_right(a: Operator, b: Scaled) -> Operator:
    """A (c B) = c (A B)."""
    return rules.scale(a @ b.base, b.factor)


@rules.adjoint.register(Scaled)
def adjoint_of_scaled(a: Scaled) -> Operator:
    """(c A)ᴴ = c̄ Aᴴ."""
    return rules.scale(a.base.H, a.factor.conjugate())


@rules.conjugate.register(Scaled)
def conjugate_of_scaled(a: Scaled) -> Operator:
    """The conjugate of c A is c̄ times that of A."""
    return rules.scale(rules.conjugate(a.base), a.factor.conjugate())


@rules.inverse.register(Scaled)
def inverse_of_scaled(a: Scaled) -> Operator:
    """(c A)⁻¹ = c⁻¹ A⁻¹."""
    return rules.scale(a.base.inverse(), 1 / a.factor) if a.factor else NotImplemented


@rules.pinv.register(Scaled)
def pinv_of_scaled(a: Scaled) -> Operator:
    """(c A)⁺ = c⁻¹ A⁺."""
    return rules.scale(a.base.pinv(), 1 / a.factor) if a.factor else NotImplemented


@rules.solve.register(Scaled)
def solve_scaled(a: Scaled, b: Array) -> Array:
    """(c A) x = b  ⇔  A x = b / c."""
    return rules.solve(a.base, b) / a.factor if a.factor else NotImplemented


@rules.shift.register(Scaled)
def shift_scaled(a: Scaled, c: Number) -> Operator:
    """c A + d I = c (A + (d/c) I)."""
    return rules.scale(rules.shift(a.base, c / a.factor), a.factor) if a.factor else NotImplemented


@rules.eigh.register(Scaled)
def eigh_of_scaled(a: Scaled) -> Operator:
    """c A has the eigenvectors of A."""
    real = not a.factor.imag
    return rules.scale(a.base.eigh(), a.factor) if real and a.base.is_self_adjoint else NotImplemented


@rules.power.register(Scaled)
def power_of_scaled(a: Scaled, p: float) -> Operator:
    """(c A)ᵖ = cᵖ Aᵖ for c > 0, and for any c if p is whole, where cᵖ is a number that floats can hold."""
    positive = not isinstance(a.factor, complex) and a.factor > 0
    if not positive and not isinstance(p, int):
        return NotImplemented
    try:
        raised = a.factor**p
        held = isfinite(abs(raised)) and (raised or not a.factor)
    except (OverflowError, ZeroDivisionError):
        return NotImplemented
    return rules.scale(a.base.power(p), raised) if held else NotImplemented


@rules.to_dense.register(Scaled)
def scaled_to_dense(a: Scaled) -> Array:
    """Scale the entries."""
    return a.factor * a.base.to_dense()


@rules.trace.register(Scaled)
def trace_of_scaled(a: Scaled) -> Array:
    """tr(c A) = c tr A."""
    return _times(a.factor, a.base.trace())


@rules.diagonal.register(Scaled)
def diagonal_of_scaled(a: Scaled) -> Array:
    """The diagonal, scaled."""
    return _times(a.factor, a.base.diagonal())


def _times(factor: Number, x: Array) -> Array:
    """c x; a real x, which a complex operator may have, becomes complex beside a complex c."""
    return cast(x, kind(x).complex) * factor if isinstance(factor, complex) else x * factor


@rules.norm.register(Scaled)
def norm_of_scaled(a: Scaled) -> Array:
    """‖c A‖ = |c| ‖A‖."""
    return abs(a.factor) * a.base.norm()


@rules.slogdet.register(Scaled)
def slogdet_of_scaled(a: Scaled) -> tuple[Array, Array]:
    """det(c A) = cⁿ det A."""
    if a.factor == 0:
        return NotImplemented
    n, modulus = a.shape[0], abs(a.factor)
    sign, logarithm = a.base.slogdet()
    return sign * (a.factor / modulus) ** n, logarithm + n * log(modulus)


@rules.project.register(Scaled, Operator)
def project_scaled(a: Scaled, z: Operator) -> tuple[Operator, Array]:
    """Scale both."""
    image, matrix = rules.project(a.base, z)
    return rules.scale(image, a.factor), a.factor * matrix


@rules.inner.register(Scaled, Operator, level=3)
@rules.inner.register(Scaled, Scaled, level=3)
def inner_with_scaled_left(a: Scaled, b: Operator) -> Array:
    """tr((c A)ᴴ B) = c̄ tr(Aᴴ B)."""
    return a.factor.conjugate() * rules.inner(a.base, b)


@rules.inner.register(Operator, Scaled, level=3)
def inner_with_scaled_right(a: Operator, b: Scaled) -> Array:
    """tr(Aᴴ c B) = c tr(Aᴴ B)."""
    return b.factor * rules.inner(a, b.base)
