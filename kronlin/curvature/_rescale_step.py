"""Rescaling: the multiple of a step, or the mixture with the previous one, that the quadratic model likes best."""

from typing import Any, NamedTuple

from kronlin.arrays import (
    Array,
    adjoint,
    all_finite,
    cast,
    conj,
    eigh,
    hermitian_part,
    kind,
    real_part,
    root_sum_squares,
)
from kronlin.curvature._quadratic_model import model_parts


class RescaledStep(NamedTuple):
    """What `rescale_step` returns: the step, its coefficients, and the reduction that the model foretells for it."""

    step: Array
    coefficients: Array
    predicted_reduction: Array


def rescale_step(F: Any, lam: float, gradient: Array, step: Array, previous: Array | None = None) -> RescaledStep:
    """The minimum of q(d) = Re gᴴd + ½ dᴴ(F + λI)d over the multiples of a step, or its sums with the previous one.

    Without momentum α = -dᴴg / (dᴴF d + λ|d|²), and the step is α d. With the previous step δ it is α d + μ δ, where
    Zᴴ(F + λI)Z (α, μ) = -Zᴴg for Z = [d δ]. The curvature is that of F, not of the approximation that made d: this is
    what makes the length of the step right. If d and δ are collinear, the coefficients of least |α d|² + |μ δ|² are
    taken; a step that is zero gets the coefficient 0. The columns are made orthonormal first, so that steps of very
    different lengths, long or short, serve also in single precision.

    Cost: one product with F, of one or two columns. All results stay on their device, which is read to see that the
    entries are finite and that the model has a minimum.

    Args:
        F: the curvature, an operator or array of shape (p, p), without damping.
        lam: λ ≥ 0; 0 leaves the damping out.
        gradient: g, of shape (p,).
        step: d, of shape (p,): minus the preconditioned gradient, say.
        previous: δ, of shape (p,), the last step taken.

    Returns:
        A `RescaledStep`: `step` (p,), `coefficients` (1,) or (2,), and `predicted_reduction` q(0) - q(step) ≥ 0, a
        real scalar array as `LevenbergMarquardt.update` takes it.

    Raises:
        ValueError: shapes or kinds do not belong together, λ is negative, an entry is NaN or infinite, or the model has
            no minimum, for the curvature along a step is not positive.

    >>> import numpy as np
    >>> F, g = np.diag([1.0, 4.0]), np.array([1.0, 1.0])
    >>> found = rescale_step(F, 0, g, -g)
    >>> found.step, found.coefficients, float(found.predicted_reduction)
    (array([-0.4, -0.4]), array([0.4]), 0.4)
    >>> rescale_step(F, 0, g, -g, previous=np.array([1.0, 0.0])).step
    array([-1.  , -0.25])

    Source: Martens and Grosse (2015), "Optimizing neural networks with Kronecker-factored approximate curvature",
    arXiv 1503.05671.
    """
    steps = (step,) if previous is None else (step, previous)
    F, lam, g, *columns = model_parts(F, lam, gradient, *steps)
    xp = F.kind.xp
    Z = xp.stack(columns, axis=1)
    if not (all_finite(Z) and all_finite(g)):
        raise ValueError("the gradient or a step has an entry that is NaN or infinite: do not take this step")
    V, kept, to_coefficients = _basis(Z)
    M = hermitian_part(adjoint(V) @ (F @ V)) + lam * (adjoint(V) @ V)
    b = -xp.sum(conj(V) * g[:, None], axis=0)
    y = _minimum(M, b, kept)
    reduction = real_part(xp.sum(conj(y) * b)) / 2
    return RescaledStep(V @ y, to_coefficients @ y, reduction)


def _basis(Z: Array) -> tuple[Array, Array, Array]:
    """Orthonormal columns V, which of them are in the range of Z, and the matrix from their weights to those of Z.

    Of all weights c of the columns of Z with the same Z c it takes those with the least Σ |c_j|² |z_j|².
    """
    own, xp = kind(Z), kind(Z).xp
    lengths = root_sum_squares(Z, axis=0)
    lengths = xp.where(lengths > 0, lengths, xp.ones_like(lengths))
    V, s, right = xp.linalg.svd(cast(Z / cast(lengths, own), own.double), full_matrices=False)
    kept = s > 10 * own.eps
    back = adjoint(right) / cast(xp.where(kept, s, xp.ones_like(s)), kind(right))
    return cast(V, own), kept, cast(back, own) / cast(lengths, own)[:, None]


def _minimum(M: Array, b: Array, kept: Array) -> Array:
    """The y of least norm that minimises ½ yᴴ M y - Re bᴴy where `kept`, 0 elsewhere.

    Raises:
        ValueError: there is no minimum.
    """
    own, xp = kind(M), kind(M).xp
    chosen = xp.astype(kept, own.dtype)
    size = xp.max(xp.abs(M * chosen * chosen[:, None]))
    size = xp.where(size > 0, size, xp.ones_like(size))
    M = M * chosen * chosen[:, None] + own.eye(M.shape[0]) * (1 - chosen) * size
    w, W = eigh(M)
    z = adjoint(W) @ (b * chosen)
    floor = 10 * own.eps * size
    curved = w > floor
    idle = (w >= -floor) & (xp.abs(z) <= own.eps**0.5 * xp.max(xp.abs(z)))
    if not bool(xp.all(curved | idle)):
        raise ValueError(
            f"the quadratic model has no minimum along the steps: there the curvature goes down to {float(w[0]):.3g}; "
            "raise lam, or take an F that is psd"
        )
    return W @ (xp.where(curved, z, xp.zeros_like(z)) / cast(xp.where(curved, w, xp.ones_like(w)), own))
