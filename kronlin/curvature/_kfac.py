"""K-FAC: each layer's Fisher block as a Kronecker product of two second moments."""

from collections.abc import Sequence
from functools import reduce
from math import prod
from operator import add

from kronlin.algebra import assume
from kronlin.arrays import Array, conj, kind, pieces
from kronlin.curvature._fisher import checked_layers
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Dense, Kronecker

_SHARING = ("expand", "reduce")


def kfac(layers: Sequence[LayerStatistics], sharing: str = "expand") -> BlockDiagonal:
    """K-FAC: F_l ≈ G ⊗ A for every layer, a `BlockDiagonal` of `Kronecker` operators.

    - "expand": A = (1/(n S)) Σ_is a aᵀ, G = (1/n) Σ_isk g gᵀ;
    - "reduce": A = (1/n) Σ_i ā āᵀ with ā the mean over positions, G = (1/n) Σ_ik ĝ ĝᵀ with ĝ the sum.

    Both are the same for S = 1. The factors cost n S (d_in² + K d_out²) multiplications.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.
        sharing: how positions that share the weight are treated.

    Raises:
        ValueError: `sharing` is unknown, there is no layer, or the layers disagree on n or K.

    >>> import numpy as np
    >>> kfac([LayerStatistics(np.ones((4, 3)), np.ones((4, 2)))])
    BlockDiagonal(6×6, float64, psd: Kronecker(2×2 ⊗ 3×3))

    Source: Martens and Grosse, arXiv 1503.05671, section 3; Eschenhagen et al., arXiv 2311.00636, eqs. 10 to 13.
    """
    return BlockDiagonal([_block(*pooled(layer, sharing)) for layer in checked_layers(layers)])


def _block(a: Array, g: Array) -> Kronecker:
    return Kronecker(*(assume(Dense(factor), "psd") for factor in (gradient_factor(g), input_factor(a))))


def pooled(layer: LayerStatistics, sharing: str) -> tuple[Array, Array]:
    """The vectors a and g whose second moments are the factors: of all positions, or their mean and their sum."""
    if sharing not in _SHARING:
        raise ValueError(f"unknown sharing {sharing!r}: choose one of {', '.join(map(repr, _SHARING))}")
    a, g = layer.inputs, layer.output_gradients
    if sharing == "expand":
        return a, g
    xp = kind(a).xp
    return xp.mean(a, axis=1, keepdims=True), xp.sum(g, axis=1, keepdims=True)


def input_factor(a: Array, b: Array | None = None) -> Array:
    """(1/(n S)) Σ_is a bᴴ, with b = a if it is not given."""
    return second_moment(a, b) / (a.shape[0] * a.shape[1])


def gradient_factor(g: Array, h: Array | None = None) -> Array:
    """(1/n) Σ_isk g hᴴ, with h = g if it is not given."""
    return second_moment(g, h) / g.shape[0]


def second_moment(x: Array, y: Array | None = None) -> Array:
    """Σ x yᴴ over all axes but the last, with y = x if it is not given."""
    left = _rows(x)
    right, own, xp = left if y is None else _rows(y), kind(x), kind(x).xp
    copied = 2 * right.shape[1] if own.is_complex else 0
    chosen = pieces(left.shape[0], copied, own)
    return reduce(add, (xp.matrix_transpose(left[part, :]) @ conj(right[part, :]) for part in chosen))


def _rows(x: Array) -> Array:
    return kind(x).xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
