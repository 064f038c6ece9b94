"""The partial traces of a layer's Fisher block, over its inputs and over its outputs."""

from collections.abc import Sequence
from functools import reduce

from kronlin.algebra import assume
from kronlin.arrays import Array, adjoint, qr, root_sum_squares
from kronlin.curvature._fisher import checked_layers, root
from kronlin.curvature._kfac import second_moment
from kronlin.curvature._weight_gradients import weight_gradients
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Dense, Kronecker


def trace_products(layers: Sequence[LayerStatistics]) -> BlockDiagonal:
    """G ⊗ A of the partial traces of every layer; both factors are means over the examples.

    >>> import numpy as np
    >>> trace_products([LayerStatistics(np.ones((4, 3)), np.ones((4, 2)))])
    BlockDiagonal(6×6, float64, psd: Kronecker(2×2 ⊗ 3×3))
    """
    pairs = map(partial_traces, checked_layers(layers))
    return BlockDiagonal([Kronecker(*(assume(Dense(trace), "psd") for trace in pair)) for pair in pairs])


def partial_traces(layer: LayerStatistics) -> tuple[Array, Array]:
    """G = (1/n) Σ_ik P Pᴴ and A = (1/n) Σ_ik Pᵀ conj(P) with P_ik = Σ_s g_isk a_isᵀ, the partial traces of F_l.

    tr G = tr A = tr F_l. Both are sums of squares, so that they are psd. They cost
    n S (d_in² + K d_out²) multiplications and, with shared weights, QR factorisations of the S positions of each
    example, O(n S² (d_in + K d_out)); or n K d_out d_in (S + d_in + d_out) where that is less. In pieces of bounded
    size.

    >>> import numpy as np
    >>> G, A = partial_traces(LayerStatistics(np.array([[1.0, 2.0]]), np.array([[3.0]])))
    >>> G, A
    (array([[45.]]), array([[ 9., 18.],
           [18., 36.]]))
    """
    U = root(layer)
    G, A = (total / U.n for total in _totals(U))
    return G, A


def _totals(U: FisherRoot) -> tuple[Array, Array]:
    """Σ_ik P Pᴴ and Σ_ik Pᵀ conj(P), by the way that costs least."""
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
