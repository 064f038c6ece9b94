"""The quadratic model of the loss around the current parameters, and how well it foretold a step."""

from math import isfinite, nan
from typing import Any

from kronlin.algebra import rules, scalar
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, conj, kind, real_part
from kronlin.curvature._blockwise import checked_damping


def quadratic_model(F: Any, lam: float, gradient: Array, step: Array) -> Array:
    """The change q(d) - q(0) = Re gᴴd + ½ dᴴ(F + λI)d that the quadratic model foretells for a step d.

    Whether the damping counts is said by λ: pass that of the step to include it, as Martens and Grosse do, or 0 for
    the bare model. The loss h itself is left out, for beside it a small change is lost in single precision. One
    product with F; the result is a real scalar array that stays on its device.

    Args:
        F: the curvature, an operator or array of shape (p, p), without damping.
        lam: a finite λ ≥ 0.
        gradient: g, of shape (p,), the gradient of the loss.
        step: d, of shape (p,), what is added to the parameters.

    Raises:
        ValueError: λ is negative or not finite, or shapes or kinds do not belong together.

    >>> import numpy as np
    >>> F, g = np.diag([2.0, 4.0]), np.array([2.0, 4.0])
    >>> d = np.array([-0.5, -0.5])
    >>> float(quadratic_model(F, 0, g, d)), float(quadratic_model(F, 1, g, d))
    (-2.25, -2.0)

    Source: Martens (2010), "Deep learning via Hessian-free optimization"; Martens and Grosse, arXiv 1503.05671.
    """
    F, lam, g, d = model_parts(F, lam, gradient, step)
    xp = F.kind.xp
    return xp.sum(real_part(conj(g) * d + conj(d) * (F @ d + lam * d) / 2))


def reduction_ratio(actual_reduction: Any, predicted_reduction: Any) -> float:
    """ρ = (h(θ) - h(θ + d)) / (q(0) - q(d)): near 1 where the model is good, small or negative where it is not.

    NaN where the ratio says nothing: a reduction is not finite, or the model foretells none, as for a zero step.

    Args:
        actual_reduction: h(θ) - h(θ + d), a number or scalar array, both losses on the same examples.
        predicted_reduction: q(0) - q(d) = -`quadratic_model(...)`.

    Raises:
        TypeError: one of them is not a real number.

    >>> reduction_ratio(0.8, 1.0), reduction_ratio(1.0, 0.0)
    (0.8, nan)

    Source: Martens (2010), "Deep learning via Hessian-free optimization".
    """
    actual, predicted = (_real_number(each) for each in (actual_reduction, predicted_reduction))
    if not (isfinite(actual) and isfinite(predicted) and predicted > 0):
        return nan
    return actual / predicted


def model_parts(F: Any, lam: float, *vectors: Array) -> tuple[Any, ...]:
    """F as an operator, λ as a number, and the vectors, all of one kind and checked."""
    F, lam = rules.wrap(F), checked_damping(lam)
    rows, columns = F.shape
    for name, vector in zip(("gradient", "step", "previous"), vectors, strict=False):
        kind(vector)
        if rows != columns or tuple(vector.shape) != (columns,):
            raise ValueError(
                f"{name} has shape {tuple(vector.shape)} beside a {rows}×{columns} F: pass a square F and vectors (p,)"
            )
    F, *vectors_alike = promote("a quadratic model", F, *vectors)
    return F, lam, *vectors_alike


def _real_number(x: Any) -> float:
    number = scalar(x)
    if number is None or isinstance(number, complex):
        raise TypeError(f"a reduction must be a real number or scalar array, not {x!r}")
    return float(number)
