"""The mini-block Fisher: the diagonal blocks of the Fisher matrix that belong to one row of a weight, or one kernel."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from kronlin.algebra import Identity, Operator, assume
from kronlin.arrays import Array, adjoint, cast, kind, root_sum_squares
from kronlin.curvature._fisher import checked_layers, root
from kronlin.curvature._weight_gradients import weight_gradients
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Dense, Kronecker


def mini_block_fisher(
    layers: Sequence[LayerStatistics], kernels: Sequence[int | None] | None = None, average: bool = False
) -> BlockDiagonal:
    """The diagonal blocks of the exact Fisher matrix that belong to small groups of weights, as a `BlockDiagonal`.

    A group is the weights of one output o: F_oo = (1/n) Σ_ik p pᴴ with p = Σ_s g_isko a_is, the row o of a gradient.
    In a convolution it is the kernel between one output channel and one input channel; a bias is a group of its own
    there. The diagonal of the Fisher matrix is kept, and F_l ≤ m diag(F_oo) for m groups in the layer; it is exact
    where the gradients of different groups are uncorrelated. Blocks of equal size are inverted together.

    With `average` all outputs of a layer share the mean of their blocks, I ⊗ (1/d_out) Σ_o F_oo: only d_in² numbers.

    The blocks take d_out d_in² numbers, with kernels of k entries d_out d_in k, and n K d_out d_in (S + d_in, or k)
    multiplications; for S = 1 the K columns of an example count as one.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.
        kernels: a number a layer, the entries (rows times columns) of a kernel of a convolution whose inputs are
            patches (channel, row, column), and None for other layers. A last input left over is that of the bias.
        average: whether the outputs of a layer share one block, or one for each input channel.

    Raises:
        ValueError: there is no layer, the layers disagree on n or K, or kernels do not fit the inputs.

    >>> import numpy as np
    >>> layers = [LayerStatistics(np.ones((4, 3)), np.ones((4, 2)))]
    >>> mini_block_fisher(layers)
    BlockDiagonal(6×6, float64, psd: Dense(3×3), Dense(3×3))
    >>> mini_block_fisher(layers, average=True)
    BlockDiagonal(6×6, float64, psd: Kronecker(2×2 ⊗ 3×3))
    >>> patches = LayerStatistics(np.ones((4, 5, 9)), np.ones((4, 5, 1)), name="two channels, 2 by 2, bias")
    >>> mini_block_fisher([patches], kernels=[4])
    BlockDiagonal(9×9, float64, psd: Dense(4×4), Dense(4×4), …)

    Source: Bahamou, Goldfarb and Ren (2022), "A mini-block Fisher method for deep neural networks", arXiv 2202.04124.
    """
    checked = checked_layers(layers)
    blocks = (
        _blocks(_moments(root(layer), cuts), average)
        for layer, cuts in zip(checked, _cuts(checked, kernels), strict=True)
    )
    return BlockDiagonal([block for of_layer in blocks for block in of_layer])


def _cuts(layers: Sequence[LayerStatistics], kernels: Sequence[int | None] | None) -> list[list[slice]]:
    """Where the rows of each layer are cut."""
    if kernels is None:
        kernels = [None] * len(layers)
    if len(kernels) != len(layers):
        raise ValueError(
            f"kernels has {len(kernels)} entries for {len(layers)} layers: pass one a layer, None for dense"
        )
    return [_pieces(layer, kernel) for layer, kernel in zip(layers, kernels, strict=True)]


def _pieces(layer: LayerStatistics, kernel: int | None) -> list[slice]:
    """The inputs of each channel, and that of the bias."""
    d_in = layer.d_in
    if kernel is None:
        return [slice(0, d_in)]
    if isinstance(kernel, bool) or not isinstance(kernel, int) or kernel < 1 or kernel > d_in or d_in % kernel > 1:
        raise ValueError(
            f"{layer!r} cannot have kernels of {kernel} entries: its {d_in} inputs must be a whole number of them, "
            "with or without one more for the bias; pass rows times columns of the kernel, or None for a dense layer"
        )
    return [slice(start, min(start + kernel, d_in)) for start in range(0, d_in, kernel)]


def _blocks(moments: list[Array], average: bool) -> list[Operator]:
    """The blocks of one layer in the order of its weights, from those of its groups (d_out, k, k)."""
    if not average:
        d_out = moments[0].shape[0]
        return [assume(Dense(F[o, ...]), "psd") for o in range(d_out) for F in moments]
    xp = kind(moments[0]).xp
    identity = Identity(moments[0].shape[0], like=moments[0])
    shared = BlockDiagonal([assume(Dense(xp.mean(F, axis=0)), "psd") for F in moments])
    return [Kronecker(identity, shared.blocks[0] if len(moments) == 1 else shared)]


def _moments(U: FisherRoot, cuts: list[slice]) -> list[Array]:
    """All F_oo of one layer for each piece of its rows."""
    if U.S == 1:  # only Σ_k |g_iko|² counts, so one column does for all
        outputs = root_sum_squares(U.output_gradients, axis=2)[:, :, None, :]
        U = FisherRoot._make(U.inputs, cast(outputs, U.kind))
    parts = ([_row_moments(P[..., cut]) for cut in cuts] for P in weight_gradients(U))
    return [total / U.n for total in reduce(lambda one, two: list(map(add, one, two)), parts)]


def _row_moments(P: Array) -> Array:
    """Σ_m p pᴴ for each row p of the matrices P (m, d_out, d_in)."""
    xp = kind(P).xp
    rows = xp.permute_dims(P, (1, 2, 0))
    return rows @ adjoint(rows)
