"""Spectral: Q diag(w) Qᴴ + ρ (I - Q Qᴴ), an operator in its own eigenbasis."""

from collections.abc import Callable
from typing import Any, cast

from kronlin.algebra import Identity, Operator, Properties, Zero, rules
from kronlin.algebra.operator import scalar
from kronlin.algebra.properties import properties
from kronlin.arrays import (
    Array,
    NotPositiveDefiniteError,
    SingularMatrixError,
    adjoint,
    all_finite,
    eigh,
    kind,
    real_part,
)
from kronlin.operators.dense import Dense, broken_promise, no_inverse
from kronlin.operators.diagonal import Diagonal


class Spectral(Operator):
    """Q diag(w) Qᴴ + rest · (I - Q Qᴴ).

    Closed under damping, inverse, powers and multiples, also for a Q with fewer columns than rows. An application
    costs one product with Q and one with Qᴴ.

    Args:
        Q: an operator or array of shape (n, r) with orthonormal columns (promised, not checked).
        w: real eigenvalues (r,), in any order.
        rest: the eigenvalue on the complement of range Q; of no effect where r = n.

    Raises:
        ValueError: w is not real, not (r,), or has a NaN or an Inf; Q has more columns than rows.

    >>> import numpy as np
    >>> A = Spectral(np.eye(3)[:, :1], np.array([3.0]), rest=1.0)
    >>> A.damped(1.0).inverse() @ np.ones(3)
    array([0.25, 0.5 , 0.5 ])
    """

    _alike: tuple[Operator, float] | None = None
    """(D, c) where D + c I has the same diagonal, which is cheaper to ask than |Q|² w."""

    def __init__(self, Q: Any, w: Array, rest: float = 0.0) -> None:
        Q = rules.wrap(Q)
        n, r = Q.shape
        if r > n:
            raise ValueError(f"Spectral takes a Q with orthonormal columns, and {n}×{r} has more columns than rows")
        if kind(w) != Q.kind.real or tuple(w.shape) != (r,):
            raise ValueError(
                f"Spectral takes w as {Q.kind.real} of shape ({r},) for {Q!r}, not {kind(w)} of shape {tuple(w.shape)}"
            )
        number = scalar(rest)
        if not isinstance(number, int | float) or not abs(number) < float("inf") or not all_finite(w):
            raise ValueError("the eigenvalues of a Spectral must be real and finite")
        self._setup(Q, w, rest=float(number))

    def _setup(self, Q: Operator, w: Array, *, rest: float) -> None:
        self.Q = Q
        self.w = real_part(w)
        self.rest = rest if Q.shape[0] != Q.shape[1] else 0.0
        n = Q.shape[0]
        self._define(Q, self.w, shape=(n, n), batch=Q.batch or tuple(w.shape[:-1]), rest=self.rest)

    @property
    def deficit(self) -> int:
        """Dimension n - r of the complement of range Q."""
        return self.Q.shape[0] - self.Q.shape[1]

    def eigenvalues(self) -> Array:
        """All n eigenvalues: w, then `rest` n - r times."""
        if not self.deficit:
            return self.w
        xp = self.kind.xp
        rest = xp.full((*self.w.shape[:-1], self.deficit), self.rest, dtype=self.w.dtype, device=self.device)
        return xp.concat([self.w, rest], axis=-1)

    def _derive(self) -> Properties:
        xp = self.kind.xp
        lowest = float(xp.min(self.w)) if self.w.shape[-1] else float("inf")
        if self.deficit:
            lowest = min(lowest, self.rest)
        return properties(True, psd=lowest >= 0, pd=lowest > 0)

    @property
    def _summary(self) -> str:
        return f"Spectral({self.Q._summary})"

    def _matmat(self, x: Array) -> Array:
        if not self.deficit or not self.rest:
            return self.Q._matmat(self.w[..., None] * self.Q.H._matmat(x))
        if not self._cancels():
            return self.Q._matmat((self.w - self.rest)[..., None] * self.Q.H._matmat(x)) + self.rest * x
        inside, outside = taken_apart(self.Q, x)
        return self.Q._matmat(self.w[..., None] * inside) + self.rest * outside

    def _cancels(self) -> bool:
        """Whether ρ x and -ρ Q Qᴴx would cancel by more than two digits."""

        def look() -> bool:
            return bool(self.kind.xp.any(self.kind.xp.abs(self.w) < abs(self.rest) / 100))

        return cast(bool, self._once("cancels", look))

    def _map_spectrum(self, function: Any) -> "Spectral":
        """f(A), for an f that takes an array of eigenvalues."""
        rest = float(function(self.kind.real.asarray([self.rest]))[0]) if self.deficit else 0.0
        return Spectral._make(self.Q, function(self.w), rest=rest)

    def _without_rounding(self, *, positive: bool = True) -> "Spectral":
        """The same with 0 for eigenvalues of at most n eps times the largest; `positive`: for those above 0 too."""
        if 0 in self.shape:
            return self
        xp = self.kind.xp
        floor = self.shape[0] * self.kind.eps * xp.max(xp.abs(self.eigenvalues()), axis=-1, keepdims=True)
        tiny = (self.w >= -floor) & (self.w <= (floor if positive else 0 * floor))
        return Spectral._make(self.Q, xp.where(tiny, xp.zeros_like(self.w), self.w), rest=self.rest)

    def _is_singular(self) -> bool:
        return bool(self.kind.xp.any(self.w == 0)) or (self.deficit > 0 and self.rest == 0)

    def _sum_over(self, function: Any) -> Array:
        """Σ f(eigenvalue)."""
        return self.kind.xp.sum(function(self.eigenvalues()), axis=-1)


def taken_apart(Q: Operator, x: Array) -> tuple[Array, Array]:
    """Qᴴx and x - Q Qᴴx for orthonormal columns Q; done twice, so that even a tiny rest is orthogonal to Q."""
    inside = Q.H._matmat(x)
    outside = x - Q._matmat(inside)
    missed = Q.H._matmat(outside)
    return inside + missed, outside - Q._matmat(missed)


def decomposed(a: Dense, eigh: Callable[[Array], tuple[Array, Array]]) -> Spectral:
    """Decompose an array; rounding below zero is lifted to zero if A is psd, a negative eigenvalue then is an error."""
    if not a.is_self_adjoint:
        raise ValueError(f"eigh needs a self-adjoint operator, and {a!r} differs from its adjoint")
    xp = a.kind.xp
    w, q = eigh(a.array)
    if a.is_psd and w.shape[-1]:
        largest = xp.max(xp.abs(w), axis=-1)
        if bool(xp.any(w[..., 0] < -10 * a.shape[0] * a.kind.eps * largest)):
            raise NotPositiveDefiniteError(broken_promise(a, f"it has the eigenvalue {float(xp.min(w)):.3g}"))
        w = xp.where(w > 0, w, xp.zeros_like(w))
    return Spectral._make(Dense._make(q), w, rest=0.0)


@rules.eigh.register(Spectral)
def eigh_of_spectral(a: Spectral) -> Operator:
    """It is one."""
    return a


@rules.eigh.register(Dense)
def eigh_of_dense(a: Dense) -> Operator:
    """Decompose; rounding below zero is lifted to zero if A is psd, a negative eigenvalue then is an error."""
    return decomposed(a, eigh)


@rules.eigh.register(Diagonal)
def eigh_of_diagonal(a: Diagonal) -> Operator:
    """Its eigenvectors are the unit vectors."""
    if not a.is_self_adjoint:
        return NotImplemented
    w = real_part(a.entries)
    return Spectral._make(Identity(a.shape[0], like=a.entries), w, rest=0.0)


@rules.eigh.register(Identity)
def eigh_of_identity(a: Identity) -> Operator:
    """Its eigenvalues are 1."""
    return Spectral._make(a, a.kind.real.ones(*a.batch, a.shape[0]), rest=0.0)


@rules.eigh.register(Zero)
def eigh_of_zero(a: Zero) -> Operator:
    """Its eigenvalues are 0, and any basis will do."""
    return Spectral._make(Identity._make(*a.parts, n=a.shape[0]), a.kind.real.zeros(*a.batch, a.shape[0]), rest=0.0)


@rules.scale.register(Spectral)
def scale_spectral(a: Spectral, factor: complex) -> Operator:
    """Scale the eigenvalues by a real factor."""
    if factor.imag:
        return NotImplemented
    return a._map_spectrum(lambda w: factor.real * w)


@rules.shift.register(Spectral)
def shift_spectral(a: Spectral, c: complex) -> Operator:
    """Shift the eigenvalues by a real number."""
    if c.imag:
        return NotImplemented
    shifted = a._map_spectrum(lambda w: w + c.real)
    shifted._alike = a._alike and (a._alike[0], a._alike[1] + c.real)
    return shifted


@rules.inverse.register(Spectral)
def inverse_of_spectral(a: Spectral) -> Operator:
    """Invert the eigenvalues."""
    if a._is_singular():
        raise SingularMatrixError(no_inverse(a, "it has the eigenvalue 0"))
    return a._map_spectrum(lambda w: 1 / w)


@rules.pinv.register(Spectral)
def pinv_of_spectral(a: Spectral) -> Operator:
    """Invert the eigenvalues that are not rounding errors of 0."""
    if 0 in a.shape or (a.batch and a.rest):
        return NotImplemented
    xp = a.kind.xp
    largest = xp.max(xp.abs(a.eigenvalues()), axis=-1, keepdims=True)
    floor = a.shape[0] * a.kind.eps * largest

    def invert(w: Array) -> Array:
        kept = xp.abs(w) > floor
        return xp.where(kept, 1 / xp.where(kept, w, xp.ones_like(w)), xp.zeros_like(w))

    return a._map_spectrum(invert) if a.rest else Spectral._make(a.Q, invert(a.w), rest=0.0)


@rules.power.register(Spectral)
def power_of_spectral(a: Spectral, p: float) -> Operator:
    """Raise the eigenvalues."""
    if p != int(p) and not a.is_psd:
        lowest = float(a.kind.xp.min(a.eigenvalues()))
        raise NotPositiveDefiniteError(f"the power {p} of {a!r} is not real: it has the eigenvalue {lowest:.3g}")
    if p < 0 and a._is_singular():
        raise SingularMatrixError(no_inverse(a, "it has the eigenvalue 0"))
    return a._map_spectrum(lambda w: w**p)


@rules.compose.register(Spectral, Spectral)
def compose_spectral(a: Spectral, b: Spectral) -> Operator:
    """Multiply the eigenvalues of two that share their Q."""
    return Spectral._make(a.Q, a.w * b.w, rest=a.rest * b.rest) if a.Q is b.Q else NotImplemented


@rules.add.register(Spectral, Spectral)
def add_spectral(a: Spectral, b: Spectral) -> Operator:
    """Add the eigenvalues of two that share their Q."""
    return Spectral._make(a.Q, a.w + b.w, rest=a.rest + b.rest) if a.Q is b.Q else NotImplemented


@rules.adjoint.register(Spectral)
def adjoint_of_spectral(a: Spectral) -> Operator:
    """Real eigenvalues: self-adjoint."""
    return a


@rules.conjugate.register(Spectral)
def conjugate_of_spectral(a: Spectral) -> Operator:
    """Conjugate the eigenvectors."""
    return Spectral._make(rules.conjugate(a.Q), a.w, rest=a.rest)


@rules.trace.register(Spectral)
def trace_of_spectral(a: Spectral) -> Array:
    """Σ w + (n - r) ρ, or that of the operator that was shifted, plus n c."""
    if a._alike:
        return a._alike[0].trace() + a.shape[0] * a._alike[1]
    return a._sum_over(lambda w: w)


@rules.norm.register(Spectral)
def norm_of_spectral(a: Spectral) -> Array:
    """(Σ w² + (n - r) ρ²)^½."""
    return Diagonal._make(a.eigenvalues()).norm()


@rules.slogdet.register(Spectral)
def slogdet_of_spectral(a: Spectral) -> tuple[Array, Array]:
    """Of the eigenvalues."""
    if a.is_pd:
        return a.kind.ones(*a.batch), a._sum_over(a.kind.xp.log)
    return Diagonal._make(a.eigenvalues()).slogdet()


@rules.diagonal.register(Spectral)
def diagonal_of_spectral(a: Spectral) -> Array:
    """|Q|² (w - ρ) + ρ, or that of the operator that was shifted, plus c."""
    if a._alike:
        return a._alike[0].diagonal() + a._alike[1]
    weights = (a.w - a.rest)[..., None]
    return rules.modulus2(a.Q)._matmat(weights)[..., 0] + a.rest


@rules.to_dense.register(Spectral)
def spectral_to_dense(a: Spectral) -> Array:
    """Form Q, then Q diag(w - ρ) Qᴴ + ρ I."""
    q = a.Q.to_dense()
    scaled = q * (a.w - a.rest)[..., None, :]
    return scaled @ adjoint(q) + a.rest * a.kind.eye(a.shape[0])
