"""The partial traces of a layer's Fisher block, over its inputs and over its outputs."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from kronlin.algebra import assume
from kronlin.arrays import Array, root_sum_squares
from kronlin.curvature._fisher import checked_layers, root
from kronlin.curvature._kfac import second_moment
from kronlin.curvature._weight_gradients import weight_gradients
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

    tr G = tr A = tr F_l. Both are sums of squares, so that they are psd. They cost n (d_in² + K d_out²)
    multiplications for S = 1, and with shared weights n K d_out d_in (S + d_in + d_out), in pieces of bounded size.

    >>> import numpy as np
    >>> G, A = partial_traces(LayerStatistics(np.array([[1.0, 2.0]]), np.array([[3.0]])))
    >>> G, A
    (array([[45.]]), array([[ 9., 18.],
           [18., 36.]]))
    """
    U = root(layer)
    a, g, xp = U.inputs, U.output_gradients, U.kind.xp
    if U.S == 1:  # P = g aᵀ: Σ_ik |a|² g gᴴ and Σ_ik |g|² a aᴴ
        of_a, of_g = root_sum_squares(a, axis=-1), root_sum_squares(g, axis=(-2, -1))
        return second_moment(of_a[..., None, None] * g) / U.n, second_moment(of_g[..., None] * a) / U.n
    pairs = [(second_moment(xp.matrix_transpose(P)), second_moment(P)) for P in weight_gradients(U)]
    G, A = (reduce(add, traces) / U.n for traces in zip(*pairs, strict=True))
    return G, A
