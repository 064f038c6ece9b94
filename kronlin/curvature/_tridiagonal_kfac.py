"""Block-tridiagonal K-FAC: neighbouring layers are coupled, and the inverse is block tridiagonal."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from kronlin.algebra import Operator, assume
from kronlin.arrays import Array, adjoint
from kronlin.curvature._blockwise import one_each
from kronlin.curvature._factored_damping import factored_damping
from kronlin.curvature._kfac import gradient_factor, input_factor, kfac, pooled
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import Dense, Kronecker, chain_covariance


def tridiagonal_kfac(
    layers: Sequence[LayerStatistics], lam: float | Sequence[float], pi: str | None = "trace", sharing: str = "expand"
) -> Operator:
    """Block-tridiagonal K-FAC, damped: the F̂ with F̂_ll and F̂_{l,l+1} of K-FAC whose inverse is block tridiagonal.

    On the diagonal stands F̂_ll = (G_l + √λ/π I) ⊗ (A_l + π√λ I), as `factored_damping` has it, and beside it the
    cross moments F̂_{l,l+1} = G_{l,l+1} ⊗ A_{l,l+1}, not damped. As in a Gaussian chain

        F̂⁻¹ = Ξᴴ diag(Σ_l)⁻¹ Ξ,    Ψ_l = F̂_{l,l+1} F̂_{l+1,l+1}⁻¹,    Σ_l = F̂_ll - Ψ_l F̂_{l+1,l+1} Ψ_lᴴ,

    Ξ the identity with -Ψ_l to the right of block l, and Σ_L = F̂_LL. Ψ_l is a Kronecker product and Σ_l a difference
    of two, so that nothing of the size of a layer's parameters squared is formed. For two layers F̂ is K-FAC with all
    four blocks, for one it is `factored_damping(kfac(layers), lam, pi)`. It is pd for all λ_l > 0.

    Costs the moments, n S (d_in² + K d_out²) multiplications a layer and as many for its neighbour, and
    eigendecompositions O(d_in³ + d_out³); an application of the inverse some four times that of K-FAC's.

    Args:
        layers: the statistics of the layers in the order of the parameter vector, neighbours next to each other.
        lam: a finite λ ≥ 0 in the units of F, or one a layer; 0 only where no factor is singular.
        pi: as in `factored_damping`.
        sharing: "expand" pairs the positions of neighbouring layers, which must have equally many; "reduce" takes the
            mean input and the sum of the gradients, for any positions.

    Returns:
        An operator whose `inverse()` applies a block bidiagonal operator, one inverse a layer, and its adjoint.

    Raises:
        ValueError: `pi` or `sharing` is unknown, λ is negative or not finite or not one a layer, there is no layer, or
            the layers disagree on n or K, or for "expand" on S.
        SingularMatrixError: λ is 0, or rounding error, beside a singular factor; the inverse may then find that a Σ_l
            is not positive definite to working precision, and says so.

    >>> import numpy as np
    >>> layers = [LayerStatistics(np.array([[1.0], [2.0]]), np.array([[1.0], [g]])) for g in (1.0, 0.0, -1.0)]
    >>> F = tridiagonal_kfac(layers, 0.5)
    >>> F.is_pd, F.inverse().to_dense().round(3)
    (True, array([[ 0.21 , -0.079,  0.   ],
           [-0.079,  0.359, -0.079],
           [ 0.   , -0.079,  0.21 ]]))

    Source: Martens and Grosse (2015), "Optimizing neural networks with Kronecker-factored approximate curvature",
    arXiv 1503.05671, section 4.3.
    """
    K = kfac(layers, sharing).blocks
    numbers = one_each(lam, len(K))
    blocks: list[Any] = [factored_damping(block, number, pi) for block, number in zip(K, numbers, strict=True)]
    vectors = [pooled(layer, sharing) for layer in layers]
    _require_equal_positions(vectors)
    couplings, variances = [], []
    for (here, after), ((a, g), (b, h)) in zip(pairwise(blocks), pairwise(vectors), strict=True):
        crosses = gradient_factor(g, h), input_factor(a, b)
        parts = [_regression(*pair) for pair in zip(crosses, after.factors, strict=True)]
        psi, explained = (Kronecker(*factors) for factors in zip(*parts, strict=True))
        couplings.append(psi)
        variances.append(here - explained)
    promises = ["pd" if number > 0 else "psd" for number in numbers]
    return chain_covariance(couplings, map(assume, [*variances, blocks[-1]], promises))


def _regression(cross: Array, variance: Operator) -> tuple[Dense, Operator]:
    """Ψ = C V⁻¹ and what it explains, Ψ V Ψᴴ = W Wᴴ with W = C V^-½: a square, so that it is psd."""
    root = variance.power(-0.5).to_dense()
    white = cross @ root
    return Dense(white @ root), assume(Dense(white @ adjoint(white)), "psd")


def _require_equal_positions(vectors: Sequence[tuple[Array, Array]]) -> None:
    """Require that the positions of neighbouring layers can be paired."""
    positions = [a.shape[1] for a, _ in vectors]
    if len(set(positions)) > 1:
        raise ValueError(
            f"the layers have {positions} positions, which cannot be paired: pass sharing='reduce', or approximate "
            "such layers apart"
        )
