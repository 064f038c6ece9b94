"""Shampoo: each layer's Fisher block bounded by the roots of its partial traces."""

from collections.abc import Sequence

from kronlin.curvature._partial_traces import trace_products
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Kronecker


def shampoo(layers: Sequence[LayerStatistics]) -> BlockDiagonal:
    """F_l ≈ L^½ ⊗ R^½ with the partial traces L and R of F_l, a `BlockDiagonal` of `Kronecker` operators.

    With P_ik = Σ_s g_isk a_isᵀ they are L = (1/n) Σ_ik P Pᴴ and R = (1/n) Σ_ik Pᵀ conj(P). Up to a factor this is an
    upper bound, F_l ≤ r L^½ ⊗ R^½ where no P has a rank above r (r = 1 without shared weights), and exact for one
    example without shared weights and one column. Shampoo steps with the root of the inverse, L^-¼ ⊗ R^-¼, which is
    `.power(-0.5)` of the damped result. Both roots come as eigendecompositions.

    Costs the partial traces, as in `tkfac`, and O(d_in³ + d_out³) for the roots.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.

    Raises:
        ValueError: there is no layer, or the layers disagree on n or K.

    >>> import numpy as np, kronlin as kl
    >>> layers = [LayerStatistics(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))]
    >>> shampoo(layers)
    BlockDiagonal(4×4, float64, psd: Kronecker(2×2 ⊗ 2×2))
    >>> bool(np.allclose(shampoo(layers).to_dense(), kl.fisher(layers).to_dense()))
    True

    Source: Gupta, Koren and Singer (2018), "Shampoo: preconditioned stochastic tensor optimization",
    arXiv 1802.09568.
    """
    return root_of_factors(trace_products(layers))


def root_of_factors(products: BlockDiagonal) -> BlockDiagonal:
    """L^½ ⊗ R^½ for every block L ⊗ R."""
    return products.factor_blocks(_root)


def _root(squared: Kronecker) -> Kronecker:
    """L^½ ⊗ R^½; what is rounding error of zero in L and R is set to zero, for its root would not be small."""
    return Kronecker._make(*(factor.eigh()._without_rounding().sqrt() for factor in squared.factors))
