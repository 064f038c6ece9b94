"""EK-FAC: the eigenvectors of K-FAC with the eigenvalues that fit best."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from kronlin.algebra import Operator
from kronlin.arrays import kind
from kronlin.curvature._diagonal_fisher import square_sums
from kronlin.curvature._fisher import checked_layers, root
from kronlin.curvature._kfac import kfac
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Kronecker, Spectral


def ekfac(
    layers: Sequence[LayerStatistics], sharing: str = "expand", basis: BlockDiagonal | None = None
) -> BlockDiagonal:
    """EK-FAC: F_l ≈ Q diag(w) Qᴴ with Q = Q_G ⊗ Q_A of K-FAC and w = diag(Qᴴ F_l Q), a `BlockDiagonal` of `Spectral`.

    w_uv = (1/n) Σ_ik |(Q_Gᴴ P_ik conj(Q_A))_uv|² with P_ik = Σ_s g_isk a_isᵀ. With U the root of F_l, Qᴴ U is the root
    of the same statistics written in the two eigenbases, and w the diagonal of its Fisher block. No other w is closer
    to F_l in the Frobenius norm, so EK-FAC is never further from it than K-FAC, and it has the trace of F_l. Where a
    factor has equal eigenvalues Q is not unique, and the result depends on it.

    Costs K-FAC, its eigendecompositions O(d_in³ + d_out³), n S (d_in² + K d_out²) for the change of basis, and the
    diagonal: n d_out d_in for S = 1, n S K d_out d_in with shared weights, in pieces of bounded size.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.
        sharing: which K-FAC of these layers has the eigenvectors: "expand" or "reduce".
        basis: a K-FAC or EK-FAC of other examples that has them instead, an average say: eigenvalues in one basis can
            be averaged, and no eigendecomposition is done again.

    Raises:
        ValueError: `sharing` is unknown, there is no layer, the layers disagree on n or K, or the eigenvectors of
            `basis` are not Kronecker products of the sizes of the layers.

    >>> import numpy as np
    >>> E = ekfac([LayerStatistics(np.ones((4, 3)), np.ones((4, 2)))])
    >>> E
    BlockDiagonal(6×6, float64, psd: Spectral(Kronecker(2×2 ⊗ 3×3)))
    >>> E.damped(1.0).inverse()
    BlockDiagonal(6×6, float64, pd: Spectral(Kronecker(2×2 ⊗ 3×3)))

    Source: George et al. (2018), "Fast approximate natural gradient descent in a Kronecker-factored eigenbasis",
    arXiv 1806.03884.
    """
    K = kfac(layers, sharing) if basis is None else _checked(basis, checked_layers(layers))
    bases = K.factor_blocks(lambda bucket: bucket.eigh().Q)
    return BlockDiagonal([_block(layer, Q) for layer, Q in zip(layers, bases.blocks, strict=True)])


def _checked(basis: BlockDiagonal, layers: Sequence[LayerStatistics]) -> BlockDiagonal:
    """Require one square block a layer, of its size."""
    sizes = [layer.parameters for layer in layers]
    if not isinstance(basis, BlockDiagonal) or basis.rows.sizes != sizes or basis.columns.sizes != sizes:
        raise ValueError(f"basis must be a K-FAC or EK-FAC with blocks of the sizes {sizes}, not {basis!r}")
    return basis


def _block(layer: LayerStatistics, Q: Operator) -> Spectral:
    U = root(layer)
    turned = (_turned(part, Q) for _, part in U._some_examples(8 * U.S * (U.d_in + U.K * U.d_out)))
    w = reduce(add, map(square_sums, turned)) / U.n
    return Spectral(Q, kind(w).xp.reshape(w, (layer.parameters,)))


def _turned(U: FisherRoot, Q: Operator) -> FisherRoot:
    """Qᴴ U, the root in the two eigenbases."""
    turned, sizes = Q.H @ U, (U.d_out, U.d_in)
    if isinstance(Q, Kronecker) and isinstance(turned, FisherRoot) and (turned.d_out, turned.d_in) == sizes:
        return turned
    raise ValueError(f"{U!r} needs eigenvectors that are a Kronecker product of the sizes {sizes}, not {Q!r}")
