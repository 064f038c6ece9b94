"""TK-FAC: each layer's Fisher block as the Kronecker product of its partial traces."""

from collections.abc import Sequence

from kronlin.algebra import assume
from kronlin.curvature._partial_traces import trace_products
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Dense, Kronecker


def tkfac(layers: Sequence[LayerStatistics]) -> BlockDiagonal:
    """TK-FAC: F_l ≈ G ⊗ A / δ of the partial traces of F_l and its trace δ, a `BlockDiagonal` of `Kronecker` operators.

    With P_ik = Σ_s g_isk a_isᵀ the partial traces are G = (1/n) Σ_ik P Pᴴ and A = (1/n) Σ_ik Pᵀ conj(P), and
    δ = tr F_l = tr G = tr A. The trace of F_l is kept; the product is exact where F_l is a Kronecker product. A layer
    without curvature (δ = 0) gets the zero block. The right factor of the result is A / δ, of trace 1.

    Costs n S (d_in² + K d_out²) multiplications and, with shared weights, QR factorisations of the S positions of each
    example, O(n S² (d_in + K d_out)); or n K d_out d_in (S + d_in + d_out) where that is less. In pieces of bounded
    size.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.

    Raises:
        ValueError: there is no layer, or the layers disagree on n or K.

    >>> import numpy as np
    >>> layers = [LayerStatistics(np.ones((4, 3)), np.ones((4, 2)))]
    >>> tkfac(layers)
    BlockDiagonal(6×6, float64, psd: Kronecker(2×2 ⊗ 3×3))
    >>> float(tkfac(layers).trace())
    6.0

    Source: Gao et al. (2021), "A trace-restricted Kronecker-factored approximation to natural gradient",
    arXiv 2011.10741.
    """
    return over_trace(trace_products(layers))


def over_trace(products: BlockDiagonal) -> BlockDiagonal:
    """G ⊗ A / tr A for every block."""
    return products.map_blocks(_over_trace)


def _over_trace(product: Kronecker) -> Kronecker:
    G, A = product.factors
    xp, delta = A.kind.xp, A.trace()
    delta = xp.where(delta == 0, xp.ones_like(delta), delta)
    return Kronecker._make(G, assume(Dense._make(A.to_dense() / delta[..., None, None]), "psd"))
