"""KPSVD: each layer's Fisher block as the nearest Kronecker product, or the nearest sum of them."""

from collections.abc import Sequence

from kronlin.curvature._fisher import block_diagonal_fisher
from kronlin.curvature._nearest import nearest_kronecker
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal


def kpsvd(layers: Sequence[LayerStatistics], rank: int = 1) -> BlockDiagonal:
    """The nearest Kronecker products F_l ≈ Σ_k G_k ⊗ A_k in the Frobenius norm, a `BlockDiagonal` of them.

    With rank 1 no other Kronecker product, K-FAC included, is nearer to the block, and the result is psd. It is exact
    for one example without weight sharing, and rank 2 for two. From the second on a term is indefinite, so for a higher
    rank a block is a self-adjoint `Sum` of which definiteness is not known: it can have negative eigenvalues.
    `factored_damping` damps it so that it keeps an inverse in closed form where it is positive definite.

    Cost: per layer some 10 products with the rearranged block and as many with its adjoint for the first term, 15 to 50
    for a further one, each about as expensive as the factors of K-FAC; see `Rearrangement`.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.
        rank: the number of Kronecker products a layer.

    Raises:
        ValueError: there is no layer, the layers disagree on n or K, or a layer has fewer singular values than `rank`.

    >>> import numpy as np, kronlin as kl
    >>> layers = [kl.LayerStatistics(np.eye(3), np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0]]))]
    >>> kl.kpsvd(layers)
    BlockDiagonal(6×6, float64, psd: Kronecker(2×2 ⊗ 3×3))
    >>> exact = kl.block_diagonal_fisher(layers)
    >>> [round(float((exact - K).norm()), 4) for K in (kl.kfac(layers), kl.kpsvd(layers), kl.kpsvd(layers, rank=2))]
    [1.2766, 0.3817, 0.186]

    Source: Koroko et al., "Efficient approximations of the Fisher matrix in neural networks using Kronecker product
    singular value decomposition", arXiv 2201.10285.
    """
    blocks = block_diagonal_fisher(layers).blocks
    shapes = [((layer.d_out, layer.d_out), (layer.d_in, layer.d_in)) for layer in layers]
    return BlockDiagonal([nearest_kronecker(F, shape, rank) for F, shape in zip(blocks, shapes, strict=True)])
