"""The BFGS update of an inverse, and the damping of its pairs that keeps it positive definite and bounded."""

from typing import NamedTuple

from kronlin.arrays import Array, hermitian_part, kind, root_sum_squares


class InverseUpdate(NamedTuple):
    """The inverse after an update; `skipped` if the pair had no usable curvature, and H is what it was."""

    H: Array
    skipped: bool


def inverse_bfgs(H: Array, s: Array, y: Array) -> InverseUpdate:
    """The BFGS update H₊ = (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ with ρ = 1 / (sᵀ y), of H ≈ B⁻¹ for a pair y ≈ B s.

    It satisfies the secant equation H₊ y = s, stays symmetric to the last bit, and is positive definite with H exactly
    if sᵀ y > 0. A common factor of s and y does not matter. A pair with sᵀ y ≤ d ε |s| |y|, where the sign of sᵀ y is
    rounding error, or with sᵀ y so small that it underflows, is skipped, and the result says so.

    For y = B s with a fixed B, and with Ĥ = B^½ H B^½ and the projection P onto B^½ s, Ĥ₊ - I = (I - P)(Ĥ - I)(I - P):
    no eigenvalue of Ĥ moves away from 1. Rounding errors are of the size of ε ‖H‖. Costs O(d²).

    Args:
        H: (d, d), real, symmetric and positive definite.
        s: (d,), a step.
        y: (d,), the change of the gradient along it.

    Raises:
        ValueError: shapes or kinds do not fit, or the arrays are complex.

    >>> import numpy as np
    >>> H, skipped = inverse_bfgs(np.eye(2), np.array([1.0, 0.0]), np.array([2.0, 1.0]))
    >>> H @ np.array([2.0, 1.0]), skipped
    (array([1., 0.]), False)
    >>> inverse_bfgs(np.eye(2), np.array([1.0, 0.0]), np.array([-2.0, 1.0])).skipped
    True

    Source: Nocedal and Wright, "Numerical Optimization" (2006); the invariance of Ĥ - I: Gower and
    Richtárik, arXiv 1602.01768.
    """
    _require_pair(H, s, y)
    own, xp = kind(H), kind(H).xp
    curvature, Hy = _dot(s, y), H @ y
    floor = s.shape[0] * own.eps * (_norm(s) * _norm(y))
    smallest = float(xp.finfo(own.dtype).smallest_normal) / own.eps
    if not bool((curvature > floor) & (curvature > smallest)):  # a NaN is skipped too
        return InverseUpdate(H, True)
    u = s / curvature
    w = xp.sqrt(curvature + _dot(y, Hy)) * u
    return InverseUpdate(hermitian_part(H - _outer(u, Hy) - _outer(Hy, u) + _outer(w, w)), False)


def powell_damping(H: Array, s: Array, y: Array, mu: float = 0.2) -> Array:
    """Powell's damping with respect to H: s̃ = θ s + (1 - θ) H y with the largest θ ≤ 1 such that s̃ᵀ y ≥ μ yᵀ H y.

    Where sᵀ y falls short, θ = (1 - μ) yᵀ H y / (yᵀ H y - sᵀ y), and s̃ᵀ y = μ yᵀ H y exactly. So an update with (s̃, y)
    keeps H positive definite however the curvature along s comes out, and ‖H₊⁻¹‖ ≤ (1 + 1/μ) ‖H⁻¹‖. Costs d² + O(d).

    Args:
        H: (d, d), real, symmetric and positive definite.
        s: (d,), a step.
        y: (d,), the change of the gradient along it.
        mu: 0 < μ < 1.

    Raises:
        ValueError: μ is not in (0, 1), shapes or kinds do not fit, or the arrays are complex.

    >>> import numpy as np
    >>> s, y = np.array([-1.0, 0.0]), np.array([1.0, 0.0])
    >>> powell_damping(np.eye(2), s, y)
    array([0.2, 0. ])

    Source: Goldfarb, Ren and Bahamou (2020), "Practical quasi-Newton methods for training deep neural networks",
    arXiv 2006.08877; of B instead of H: Powell (1978), "Algorithms for nonlinear constraints that use Lagrangian
    functions".
    """
    _require_pair(H, s, y)
    if not 0 < mu < 1:
        raise ValueError(f"mu = {mu}: Powell's damping takes a number between 0 and 1, such as 0.2")
    xp, Hy = kind(H).xp, H @ y
    curvature, model = _dot(s, y), _dot(y, Hy)
    short = curvature < mu * model
    missing = xp.where(short, model - curvature, xp.ones_like(model))
    theta = xp.where(short, (1 - mu) * model / missing, xp.ones_like(model))
    return theta * s + (1 - theta) * Hy


def double_damping(H: Array, s: Array, y: Array, lam: float, mu: float = 0.2) -> tuple[Array, Array]:
    """The pair damped twice, (s̃, y + λ s̃) with s̃ of `powell_damping`: for H ≈ (B + λ I)⁻¹ and any B.

    The second damping, that of Levenberg and Marquardt, makes s̃ᵀ ỹ ≥ λ |s̃|². With both, one update grows H no more
    than to ‖H₊‖ ≤ (2 ‖H‖^½ + 1 / (λ μ)^½)² + 1/λ.

    Args:
        H: (d, d), real, symmetric and positive definite.
        s: (d,), a step.
        y: (d,), the change of the gradient along it.
        lam: the damping λ > 0.
        mu: 0 < μ < 1 of Powell's damping.

    Raises:
        ValueError: λ or μ is out of range, shapes or kinds do not fit, or the arrays are complex.

    >>> import numpy as np
    >>> s, y = double_damping(np.eye(2), np.array([0.0, 1.0]), np.array([0.0, 0.0]), lam=0.5)
    >>> inverse_bfgs(np.eye(2), s, y).H
    array([[1., 0.],
           [0., 2.]])

    Source: Ren, Bahamou and Goldfarb (2021), "Kronecker-factored quasi-Newton methods for deep learning",
    arXiv 2102.06737.
    """
    if not lam > 0:
        raise ValueError(f"lam = {lam}: the damping must be positive, for without it nothing bounds the inverse")
    damped = powell_damping(H, s, y, mu)
    return damped, y + lam * damped


def _dot(x: Array, y: Array) -> Array:
    return kind(x).xp.sum(x * y)


def _norm(x: Array) -> Array:
    return root_sum_squares(x, axis=0)


def _outer(x: Array, y: Array) -> Array:
    return x[:, None] * y[None, :]


def _require_pair(H: Array, s: Array, y: Array) -> None:
    """Require real arrays of one kind with the shapes (d, d), (d,) and (d,)."""
    shapes = [tuple(x.shape) for x in (H, s, y)]
    if H.ndim != 2 or shapes != [(H.shape[0],) * 2, (H.shape[0],), (H.shape[0],)]:
        raise ValueError(f"a BFGS update takes H (d, d), s (d,) and y (d,), not {', '.join(map(str, shapes))}")
    if not kind(H) == kind(s) == kind(y):
        raise ValueError(f"H is {kind(H)}, s {kind(s)}, y {kind(y)}: bring them to one library, dtype and device")
    if kind(H).is_complex:
        raise ValueError(f"H is {kind(H)}: the BFGS update is for real arrays, since sᴴ y of a pair need not be real")
