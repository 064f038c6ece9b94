"""The mini-block Fisher: the diagonal blocks of the exact Fisher matrix that belong to one row of a weight."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from kronlin.algebra import assume
from kronlin.arrays import Array, adjoint, cast, kind, root_sum_squares
from kronlin.curvature._fisher import checked_layers, root
from kronlin.curvature._weight_gradients import weight_gradients
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Dense


def mini_block_fisher(layers: Sequence[LayerStatistics]) -> BlockDiagonal:
    """The blocks F_oo of the exact Fisher matrix, o an output of a layer, as a `BlockDiagonal` of d_out blocks a layer.

    F_oo = (1/n) Σ_ik p pᴴ with p = Σ_s g_isko a_is, the row o of a gradient. The diagonal of the Fisher matrix is kept,
    and F_l ≤ d_out diag(F_oo); it is exact where the gradients of different rows are uncorrelated. Blocks of equal size
    are inverted together. They take d_out d_in² numbers, and n K d_out d_in (S + d_in) multiplications; for S = 1
    the K columns of an example count as one.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.

    Raises:
        ValueError: there is no layer, or the layers disagree on n or K.

    >>> import numpy as np
    >>> mini_block_fisher([LayerStatistics(np.ones((4, 3)), np.ones((4, 2)))])
    BlockDiagonal(6×6, float64, psd: Dense(3×3), Dense(3×3))

    Source: Bahamou, Goldfarb and Ren (2022), "A mini-block Fisher method for deep neural networks", arXiv 2202.04124;
    here with the blocks of dense layers, for every layer.
    """
    rows = [_row_blocks(root(layer)) for layer in checked_layers(layers)]
    return BlockDiagonal([assume(Dense(F[o, ...]), "psd") for F in rows for o in range(F.shape[0])])


def _row_blocks(U: FisherRoot) -> Array:
    """All F_oo of one layer, (d_out, d_in, d_in)."""
    if U.S == 1:  # only Σ_k |g_iko|² counts, so one column does for all
        outputs = root_sum_squares(U.output_gradients, axis=2)[:, :, None, :]
        U = FisherRoot._make(U.inputs, cast(outputs, U.kind))
    return reduce(add, map(_row_moments, weight_gradients(U))) / U.n


def _row_moments(P: Array) -> Array:
    """Σ_m p pᴴ for each row p of the matrices P (m, d_out, d_in)."""
    xp = kind(P).xp
    rows = xp.permute_dims(P, (1, 2, 0))
    return rows @ adjoint(rows)
