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
    if sharing not in _SHARING:
        raise ValueError(f"unknown sharing {sharing!r}: choose one of {', '.join(map(repr, _SHARING))}")
    return BlockDiagonal([_block(layer, sharing) for layer in checked_layers(layers)])


def _block(layer: LayerStatistics, sharing: str) -> Kronecker:
    a, g = layer.inputs, layer.output_gradients
    xp = kind(a).xp
    if sharing == "reduce":
        a, g = xp.mean(a, axis=1, keepdims=True), xp.sum(g, axis=1, keepdims=True)
    A = second_moment(a) / (a.shape[0] * a.shape[1])
    G = second_moment(g) / g.shape[0]
    return Kronecker(*(assume(Dense(factor), "psd") for factor in (G, A)))


def second_moment(x: Array) -> Array:
    """Σ x xᴴ over all axes but the last."""
    own, xp = kind(x), kind(x).xp
    rows = xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
    copied = 2 * rows.shape[1] if own.is_complex else 0
    parts = (rows[chosen, :] for chosen in pieces(rows.shape[0], copied, own))
    return reduce(add, (xp.matrix_transpose(part) @ conj(part) for part in parts))
