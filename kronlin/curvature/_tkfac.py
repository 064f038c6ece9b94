"""TK-FAC: each layer's Fisher block as the Kronecker product of its partial traces."""

from collections.abc import Sequence
from functools import reduce

from kronlin.algebra import assume
from kronlin.arrays import Array, adjoint, kind, qr, root_sum_squares
from kronlin.curvature._fisher import checked_layers, root
from kronlin.curvature._kfac import second_moment
from kronlin.curvature._weight_gradients import weight_gradients
from kronlin.curvature.root import FisherRoot
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
    return BlockDiagonal([_block(layer) for layer in checked_layers(layers)])


def _block(layer: LayerStatistics) -> Kronecker:
    xp = kind(layer.inputs).xp
    G, A = (trace / layer.n for trace in _partial_traces(root(layer)))
    delta = xp.linalg.trace(A)
    A = A / xp.where(delta == 0, xp.ones_like(delta), delta)
    return Kronecker(*(assume(Dense(factor), "psd") for factor in (G, A)))


def _partial_traces(U: FisherRoot) -> tuple[Array, Array]:
    """Σ_ik P Pᴴ and Σ_ik Pᵀ conj(P), sums of squares both, so that they are psd."""
    sizes, squares = U.d_in + U.K * U.d_out, U.d_in**2 + U.K * U.d_out**2
    columns = U.K * U.d_out * U.d_in * (U.S + U.d_in + U.d_out)
    if U.S == 1:
        pairs = (_of_one_position(part) for _, part in U._some_examples(3 * sizes))
    elif U.S * (4 * U.S * sizes + squares) <= columns:  # a QR factorisation takes about 4 S² multiplications a row
        pairs = (_of_positions(part) for _, part in U._some_examples(8 * U.S * sizes))
    else:
        return _of_gradients(U)
    return reduce(_added, pairs)


def _added(one: tuple[Array, Array], two: tuple[Array, Array]) -> tuple[Array, Array]:
    return one[0] + two[0], one[1] + two[1]


def _of_one_position(U: FisherRoot) -> tuple[Array, Array]:
    """For P = g aᵀ: Σ_ik |a|² g gᴴ and Σ_ik |g|² a aᴴ."""
    a, g = U.inputs, U.output_gradients
    of_a, of_g = root_sum_squares(a, axis=-1), root_sum_squares(g, axis=(-2, -1))
    return second_moment(of_a[..., None, None] * g), second_moment(of_g[..., None] * a)


def _of_positions(U: FisherRoot) -> tuple[Array, Array]:
    """For P = gᵀ a with a = L Q, QQᴴ = I: P Pᴴ = X Xᴴ with X = gᵀ L, as wide as there are positions; likewise for g."""
    transpose, (n, S, K, d_out) = U.kind.xp.matrix_transpose, U.output_gradients.shape
    rows = U.kind.xp.reshape(U.output_gradients, (n, S, K * d_out))
    outputs = transpose(_triangle(U.inputs)) @ rows
    inputs = transpose(_triangle(rows)) @ U.inputs
    return second_moment(U.kind.xp.reshape(outputs, (n, -1, K, d_out))), second_moment(inputs)


def _of_gradients(U: FisherRoot) -> tuple[Array, Array]:
    """From the gradients P themselves, a few at a time."""
    transpose = U.kind.xp.matrix_transpose
    return reduce(_added, ((second_moment(transpose(P)), second_moment(P)) for P in weight_gradients(U)))


def _triangle(x: Array) -> Array:
    """L of X = L Q."""
    return adjoint(qr(adjoint(x))[1])
