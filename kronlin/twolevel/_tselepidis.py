"""Tselepidis: the weighted two-level preconditioner whose coarse matrix comes from K-FAC's second moments alone."""

from collections.abc import Sequence
from math import prod
from typing import Any

from kronlin.algebra import Identity, Operator, rules
from kronlin.algebra.properties import PD
from kronlin.arrays import Array, adjoint, hermitian_part, kind
from kronlin.coarse import nicolaides
from kronlin.curvature import LayerStatistics, kfac
from kronlin.curvature._fisher import checked_layers
from kronlin.galerkin import inverse_of_coarse_matrix
from kronlin.operators import BlockDiagonal, Dense, Kronecker, LowRank
from kronlin.twolevel._weights import checked_weights

_SHARING = ("expand", "reduce")
_COARSE_DAMPING = ("galerkin", "identity")


def tselepidis(
    layers: Sequence[LayerStatistics],
    lam: float,
    *,
    M: Any = None,
    weights: tuple[float, float] = (1.0, 1.0),
    sharing: str = "expand",
    coarse_damping: str = "galerkin",
) -> Operator:
    """w₁ M + w₂ Z E⁻¹ Zᴴ, one constant vector a layer, E_lm = (1ᵀ G_lm 1) (1ᵀ A_lm 1) + λ N_l δ_lm.

    G_lm and A_lm are the second moments between the layers l and m, so that E = Zᴴ (F + λ I) Z for Z = `nicolaides`
    if every block of the Fisher matrix is taken for a Kronecker product, F_lm ≈ G_lm ⊗ A_lm. The weighted AD of a
    cheaper coarse problem: `two_level(A, M, Z, "AD", weights=...)` has the exact one. Positive definite: an M for `cg`.

    E costs one pass over the arrays of the layers and L² n K multiplications for L layers; an application one
    with M and 2 p additions beyond it.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.
        lam: the damping λ > 0.
        M: the fine preconditioner (p, p); the exactly damped inverse of `kfac(layers, sharing)` if None.
        weights: (w₁, w₂), positive.
        sharing: how positions that share a weight enter the moments, as in `kfac`; "expand" takes equally many
            positions in all layers.
        coarse_damping: "galerkin" for λ N_l = λ (Zᴴ Z)_ll, N_l the parameters of layer l; "identity" for λ alone, as
            in the published code, which damps the coarse problem N_l times less.

    Raises:
        ValueError: an option is unknown, λ or a weight is not positive, the layers disagree on n, K or, for "expand",
            S, or M does not fit.

    >>> import numpy as np
    >>> layers = [LayerStatistics(np.ones((2, 3)), np.ones((2, 2))), LayerStatistics(np.ones((2, 2)), np.ones((2, 1)))]
    >>> tselepidis(layers, 1.0).is_pd
    True

    Source: Tselepidis, Kohler, Orvieto, "Two-level K-FAC preconditioning for deep learning", arXiv 2011.00573.
    """
    if sharing not in _SHARING:
        raise ValueError(f"unknown sharing {sharing!r}: choose one of {', '.join(map(repr, _SHARING))}")
    if coarse_damping not in _COARSE_DAMPING:
        known = ", ".join(map(repr, _COARSE_DAMPING))
        raise ValueError(f"unknown coarse_damping {coarse_damping!r}: choose one of {known}")
    if not 0 < lam < float("inf"):
        raise ValueError(f"the damping must be a positive number, not {lam!r}")
    w1, w2 = checked_weights(weights)
    checked_layers(layers)
    fine = kfac(layers, sharing).damped(lam).inverse() if M is None else rules.wrap(M)
    matrix = coarse_matrix(layers, sharing)
    sizes = kind(matrix).asarray([layer.parameters if coarse_damping == "galerkin" else 1 for layer in layers])
    inverse = inverse_of_coarse_matrix(matrix + lam * sizes * kind(matrix).eye(len(layers)))[0]
    return w1 * fine + w2 * LowRank(constants(layers), Dense._make(inverse)._with(PD))


def coarse_matrix(layers: Sequence[LayerStatistics], sharing: str) -> Array:
    """(1ᵀ G_lm 1) (1ᵀ A_lm 1) for all pairs of layers: an entrywise product of two Gram matrices, hence psd."""
    xp = kind(layers[0].inputs).xp
    inputs = [xp.sum(layer.inputs, axis=-1) for layer in layers]
    outputs = [xp.sum(layer.output_gradients, axis=-1) for layer in layers]
    if sharing == "reduce":
        inputs = [xp.mean(a, axis=1) for a in inputs]
        outputs = [xp.sum(g, axis=1) for g in outputs]
    elif len({layer.S for layer in layers}) > 1:
        raise ValueError(
            f"the layers have {[layer.S for layer in layers]} positions, and moments between them pair these one to "
            'one: take sharing="reduce"'
        )
    return _gram(inputs) / prod(inputs[0].shape) * (_gram(outputs) / layers[0].n)


def _gram(rows: list[Array]) -> Array:
    """The inner products of the layers' arrays, l against m."""
    xp = kind(rows[0]).xp
    flat = xp.stack([xp.reshape(row, (-1,)) for row in rows])
    return hermitian_part(flat @ adjoint(flat))


def constants(layers: Sequence[LayerStatistics]) -> Operator:
    """One constant vector a layer."""
    blocks = (Kronecker(*(Identity(d, like=layer.inputs) for d in (layer.d_out, layer.d_in))) for layer in layers)
    return nicolaides(BlockDiagonal(blocks))
