"""K-FAC for physics-informed networks: a Kronecker product of the interior and one of the boundary, for each layer."""

from collections.abc import Sequence

from kronlin.curvature._kfac import kfac
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal


def kfac_pinn(interior: Sequence[LayerStatistics], boundary: Sequence[LayerStatistics]) -> BlockDiagonal:
    """K-FAC of a loss with two terms: F_l ≈ G_int ⊗ A_int + G_bnd ⊗ A_bnd, a `BlockDiagonal` of sums of two products.

    It approximates the blocks of the Gauss-Newton matrix `fisher(interior) + fisher(boundary)` of ½ mean |r|² +
    ½ mean |b|², each term as `kfac` does. In the interior the residual, r = Δu - f say, is a function of the value, the
    derivatives and the Laplacian that a layer passes on: S = d + 2 positions, which share its weight. There

        A_int = (1/(n S)) Σ_is a aᵀ,   G_int = (1/n) Σ_isk g gᵀ,   and S = 1 on the boundary.

    A term of one point with S = 1 is exact. With S > 1 even one point is not, for the positions act together.

    `per_factor_damping(K, lam)`, the convention of the paper, adds λ I to all four factors, `factored_damping` to two.
    Both keep the inverse in closed form: two Kronecker products can be diagonalised together. `K.damped(lam)`, which is
    exactly K + λ I, has three terms and is made dense. The exact matrix, damped, is solved by one system with as many
    unknowns as there are residuals, `(fisher(interior) + fisher(boundary)).damped(lam).solve(gradient)`.

    Cost: the factors as in `kfac`; an inverse O(d_in³ + d_out³) a layer, its product 2 d_out d_in (d_out + d_in).

    Args:
        interior: the statistics of the layers at interior points, in the order of the parameter vector.
        boundary: the same layers at boundary points. The numbers of points, positions and columns may differ.

    Raises:
        ValueError: the two differ in their layers, or one of them belongs to no net (see `kfac`).

    >>> import numpy as np, kronlin as kl
    >>> net, edge = kl.sources.numpy_mlp.MLP((1, 3, 1)), np.array([[0.0], [1.0]])
    >>> data = np.array([[0.3], [0.6]]), np.ones((2, 1)), edge, np.zeros((2, 1))
    >>> interior, boundary, gradient, loss = kl.sources.numpy_mlp.collect_pinn(net, *data)
    >>> K = kl.kfac_pinn(interior, boundary)
    >>> K
    BlockDiagonal(10×10, float64, psd: Sum(6×6), Sum(4×4))
    >>> kl.per_factor_damping(K, 0.1).inverse()
    BlockDiagonal(10×10, float64, pd: Congruence(6×6), Congruence(4×4))

    Source: Dangel, Müller and Zeinhofer (2024), "Kronecker-factored approximate curvature for physics-informed neural
    networks", arXiv 2405.15603.
    """
    inside, outside = kfac(interior).blocks, kfac(boundary).blocks
    sizes = [[(layer.d_out, layer.d_in) for layer in layers] for layers in (interior, boundary)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"the layers of the interior have the sizes (d_out, d_in) {sizes[0]}, those of the boundary {sizes[1]}: "
            "collect both from the same network, with its layers in the same order"
        )
    return BlockDiagonal([one + two for one, two in zip(inside, outside, strict=True)])
