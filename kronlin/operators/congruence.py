"""Congruence: K diag(d) Kᴴ with an invertible K, what a simultaneous diagonalisation leaves behind."""

from typing import Any

from kronlin.algebra import Operator, Properties, rules
from kronlin.algebra.properties import properties
from kronlin.arrays import Array, SingularMatrixError, adjoint, all_finite, kind, real_part
from kronlin.operators.dense import no_inverse
from kronlin.operators.diagonal import Diagonal


class Congruence(Operator):
    """K diag(d) Kᴴ for an invertible K, which unlike the Q of a `Spectral` need not have orthonormal columns.

    By Sylvester's law of inertia it is positive definite exactly if d is. An application costs one product with K and
    one with Kᴴ.

    Args:
        K: an invertible operator or array of shape (n, n); that it is invertible is promised, not checked.
        d: real, of shape (n,).

    Raises:
        ValueError: K is not square, or d is not real, not (n,), or has a NaN or an Inf.

    >>> import numpy as np
    >>> A = Congruence(np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([1.0, 3.0]))
    >>> A.to_dense()
    array([[4., 2.], [2., 4.]])
    >>> A.inverse()
    Congruence(2×2, float64, pd: Dense(2×2))

    Source: Golub and Van Loan, "Matrix Computations" (4th ed.), section 8.7.
    """

    def __init__(self, K: Any, d: Array) -> None:
        K = rules.wrap(K)
        n = K.shape[0]
        if K.shape[1] != n:
            raise ValueError(f"Congruence takes a square K, not one of shape {K.shape}: use LowRank for U C Uᴴ")
        if kind(d) != K.kind.real or tuple(d.shape) != (n,):
            raise ValueError(
                f"Congruence takes d as {K.kind.real} of shape ({n},) for {K!r}, "
                f"not {kind(d)} of shape {tuple(d.shape)}"
            )
        if not all_finite(d):
            raise ValueError(f"Congruence with {n} weights: one is NaN or infinite")
        self._setup(K, d)

    def _setup(self, K: Operator, d: Array) -> None:
        self.K = K
        self.d = real_part(d)
        self._define(K, self.d, shape=K.shape, batch=K.batch or tuple(d.shape[:-1]))

    def _derive(self) -> Properties:
        lowest = float(self.kind.xp.min(self.d)) if self.shape[0] else 1.0
        return properties(True, psd=lowest >= 0, pd=lowest > 0)

    def _matmat(self, x: Array) -> Array:
        return self.K._matmat(self.d[..., None] * self.K.H._matmat(x))


@rules.adjoint.register(Congruence)
def adjoint_of_congruence(a: Congruence) -> Operator:
    """Real weights: self-adjoint."""
    return a


@rules.conjugate.register(Congruence)
def conjugate_of_congruence(a: Congruence) -> Operator:
    """Conjugate K."""
    return Congruence._make(rules.conjugate(a.K), a.d)


@rules.scale.register(Congruence)
def scale_congruence(a: Congruence, factor: complex) -> Operator:
    """Scale the weights by a real factor."""
    return NotImplemented if factor.imag else Congruence._make(a.K, factor.real * a.d)


@rules.inverse.register(Congruence)
def inverse_of_congruence(a: Congruence) -> Operator:
    """(K diag(d) Kᴴ)⁻¹ = K⁻ᴴ diag(1/d) K⁻¹."""
    if bool(a.kind.xp.any(a.d == 0)):
        raise SingularMatrixError(no_inverse(a, "a weight is zero"))
    return Congruence._make(a.K.inverse().H, 1 / a.d)


@rules.slogdet.register(Congruence)
def slogdet_of_congruence(a: Congruence) -> tuple[Array, Array]:
    """det(K diag(d) Kᴴ) = |det K|² ∏ d."""
    sign, logarithm = Diagonal._make(a.d).slogdet()
    return sign, logarithm + 2 * a.K.slogdet()[1]


@rules.diagonal.register(Congruence)
def diagonal_of_congruence(a: Congruence) -> Array:
    """|K|² d."""
    return rules.modulus2(a.K)._matmat(a.d[..., None])[..., 0]


@rules.norm.register(Congruence)
def norm_of_congruence(a: Congruence) -> Array:
    """‖K diag(d) Kᴴ‖² = dᵀ |Kᴴ K|² d, whose terms do not cancel where d ≥ 0."""
    if not a.is_psd or not a.shape[0]:
        return NotImplemented
    xp = a.kind.xp
    largest = xp.max(a.d, axis=-1, keepdims=True)
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    weights = (a.d / unit)[..., None]
    square = xp.matrix_transpose(weights) @ rules.modulus2(a.K.H @ a.K)._matmat(weights)
    return xp.sqrt(square[..., 0, 0]) * unit[..., 0]


@rules.to_dense.register(Congruence)
def congruence_to_dense(a: Congruence) -> Array:
    """Form K, then K diag(d) Kᴴ."""
    k = a.K.to_dense()
    return (k * a.d[..., None, :]) @ adjoint(k)
