"""EK-FAC: the eigenvectors of K-FAC with the eigenvalues that fit best."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from kronlin.algebra import Operator
from kronlin.arrays import kind
from kronlin.curvature._diagonal_fisher import square_sums
from kronlin.curvature._fisher import root
from kronlin.curvature._kfac import kfac
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Spectral


def ekfac(layers: Sequence[LayerStatistics], sharing: str = "expand") -> BlockDiagonal:
    """EK-FAC: F_l ≈ Q diag(w) Qᴴ with Q = Q_G ⊗ Q_A of K-FAC and w = diag(Qᴴ F_l Q), a `BlockDiagonal` of `Spectral`.

    w_uv = (1/n) Σ_ik |(Q_Gᴴ P_ik conj(Q_A))_uv|² with P_ik = Σ_s g_isk a_isᵀ. With U the root of F_l, Qᴴ U is the root
    of the same statistics written in the two eigenbases, and w the diagonal of its Fisher block. No other w is closer
    to F_l in the Frobenius norm, so EK-FAC is never further from it than K-FAC, and it has the trace of F_l. Where a
    factor has equal eigenvalues Q is not unique, and the result depends on it.

    Costs K-FAC, its eigendecompositions O(d_in³ + d_out³), n S (d_in² + K d_out²) for the change of basis, and the
    diagonal: n d_out d_in for S = 1, n S K d_out d_in with shared weights, in pieces of bounded size.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.
        sharing: which K-FAC has the eigenvectors: "expand" or "reduce".

    Raises:
        ValueError: `sharing` is unknown, there is no layer, or the layers disagree on n or K.

    >>> import numpy as np
    >>> E = ekfac([LayerStatistics(np.ones((4, 3)), np.ones((4, 2)))])
    >>> E
    BlockDiagonal(6×6, float64, psd: Spectral(Kronecker(2×2 ⊗ 3×3)))
    >>> E.damped(1.0).inverse()
    BlockDiagonal(6×6, float64, pd: Spectral(Kronecker(2×2 ⊗ 3×3)))

    Source: George et al. (2018), "Fast approximate natural gradient descent in a Kronecker-factored eigenbasis",
    arXiv 1806.03884.
    """
    bases = kfac(layers, sharing).map_blocks(lambda bucket: bucket.eigh().Q)
    return BlockDiagonal([_block(layer, Q) for layer, Q in zip(layers, bases.blocks, strict=True)])


def _block(layer: LayerStatistics, Q: Operator) -> Spectral:
    U = root(layer)
    entries = 8 * U.S * (U.d_in + U.K * U.d_out)
    w = reduce(add, (square_sums(Q.H @ part) for _, part in U._some_examples(entries))) / U.n
    return Spectral(Q, kind(w).xp.reshape(w, (layer.parameters,)))
