"""KL clipping: the factor that keeps a step within a trust region of the Kullback-Leibler divergence."""

from math import isfinite
from typing import Any

from kronlin.algebra import scalar
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, all_finite, conj, kind, real_part


def kl_clip(direction: Array, gradient: Array, lr: float = 1.0, kappa: float = 1e-3) -> Array:
    """The factor ν = min(1, √(κ / (lr² Re dᴴg))) on the step lr · d, d = M g the preconditioned gradient.

    For M = F⁻¹ the squared length dᴴF d of a step is dᴴg, twice the KL divergence to second order; ν holds
    ν² lr² dᴴg at κ or below. Over all layers dᴴg is the sum Σ_l dᴴ_l g_l, so one ν serves all. Where dᴴg ≤ 0 (a zero
    gradient, or an M that is not psd) it measures no length, and ν = 1. Neither overflows nor underflows for long or
    short vectors. The result is a real scalar array on the device, which is read to see that the entries are finite.

    Args:
        direction: d, of shape (p,): the preconditioned gradient, with either sign for d and g alike.
        gradient: g, of shape (p,).
        lr: the learning rate, positive.
        kappa: κ > 0, the bound.

    Raises:
        ValueError: shapes or kinds differ, an entry is NaN or infinite, or `lr` or `kappa` is not positive and finite.

    >>> import numpy as np
    >>> d = g = np.array([3.0, 4.0])
    >>> float(kl_clip(d, g, lr=0.1, kappa=0.01)), float(kl_clip(d, -g)), float(kl_clip(d, g, kappa=100.0))
    (0.2, 1.0, 1.0)

    Source: Ba, Grosse and Martens (2017), "Distributed second-order optimization using Kronecker-factored
    approximations".
    """
    lr, kappa = _positive("lr", lr), _positive("kappa", kappa)
    shapes = [tuple(x.shape) for x in (direction, gradient)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 1:
        raise ValueError(f"direction and gradient have the shapes {shapes[0]} and {shapes[1]}: pass two vectors (p,)")
    d, g = promote("KL clipping", direction, gradient)
    if not (all_finite(d) and all_finite(g)):
        raise ValueError("the direction or the gradient has an entry that is NaN or infinite: do not take this step")
    own, xp = kind(d).real, kind(d).xp
    (d, size_d), (g, size_g) = _unit(d), _unit(g)
    inner = xp.sum(real_part(conj(d) * g))
    positive, one = inner > 0, xp.ones_like(inner)
    length = xp.sqrt(xp.where(positive, inner, one)) * xp.sqrt(size_d) * xp.sqrt(size_g)
    bound = one * min(kappa**0.5 / lr, float(xp.finfo(own.dtype).max))
    return xp.where(positive & (length > bound), bound / length, one)


def _unit(x: Array) -> tuple[Array, Array]:
    """The vector over its largest modulus, and that modulus; a zero vector as it is."""
    xp = kind(x).xp
    largest = xp.max(xp.abs(x)) if x.shape[0] else kind(x).real.ones()
    size = xp.where(largest == 0, xp.ones_like(largest), largest)
    return x / size, size


def _positive(name: str, x: Any) -> float:
    number = scalar(x)
    if number is None or isinstance(number, complex) or not (isfinite(number) and number > 0):
        raise ValueError(f"{name} must be positive and finite, not {x!r}")
    return float(number)
