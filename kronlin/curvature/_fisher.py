"""The exact Fisher matrix, and its block diagonal, of the layers of a net."""

from collections.abc import Sequence

from kronlin.algebra import Operator
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, LowRank, VStack


def fisher(layers: Sequence[LayerStatistics]) -> Operator:
    """The exact Fisher matrix F = (1/n) U Uᴴ of a net, U the roots of its layers one over the other.

    With the columns of a type-2 source this is the generalised Gauss-Newton matrix, with sampled or given labels
    the Monte-Carlo or the empirical Fisher. Nothing of size p × p is formed: F is a `LowRank` operator with p rows,
    and a product costs two passes over the layers' arrays. `F.block(l, m)` is the block (1/n) U_l U_mᴴ of two layers.

    Args:
        layers: the statistics of the layers in the order of the parameter vector, all of the same n and K.

    Raises:
        ValueError: there is no layer, or n or K differ.

    >>> import numpy as np
    >>> layers = [LayerStatistics(np.ones((2, 3)), np.ones((2, 1, 2)))]
    >>> fisher(layers)
    LowRank(6×6, float64, psd: rank ≤ 2: VStack(6×2))
    >>> fisher(layers).block(0, 0)
    LowRank(6×6, float64, psd: rank ≤ 2: FisherRoot(6×2))

    Source: Martens, "New insights and perspectives on the natural gradient method", arXiv 1412.1193, section 8.
    """
    n = checked_layers(layers)[0].n
    U = VStack([root(layer) for layer in layers])
    return LowRank(U) / n


def block_diagonal_fisher(layers: Sequence[LayerStatistics]) -> BlockDiagonal:
    """The diagonal blocks (1/n) U_l U_lᴴ of the exact Fisher matrix, as a block-diagonal operator.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.

    Raises:
        ValueError: there is no layer, or n or K differ.

    >>> import numpy as np
    >>> block_diagonal_fisher([LayerStatistics(np.ones((2, 3)), np.ones((2, 1, 2)))])
    BlockDiagonal(6×6, float64, psd: LowRank(6×6))
    """
    n = checked_layers(layers)[0].n
    return BlockDiagonal([LowRank(root(layer)) / n for layer in layers])


def root(layer: LayerStatistics) -> FisherRoot:
    """The root of one layer's Fisher block."""
    return FisherRoot._make(layer.inputs, layer.output_gradients)


def checked_layers(layers: Sequence[LayerStatistics]) -> Sequence[LayerStatistics]:
    """Check that statistics belong to one net: at least one layer, the same examples and columns."""
    if isinstance(layers, LayerStatistics) or not all(isinstance(layer, LayerStatistics) for layer in layers):
        raise TypeError("layers must be a sequence of LayerStatistics, one a layer")
    if not layers:
        raise ValueError("layers is empty: a Fisher matrix takes at least one layer")
    for quantity in ("n", "K"):
        counts = [getattr(layer, quantity) for layer in layers]
        if len(set(counts)) > 1:
            raise ValueError(f"the layers disagree on {quantity}: {counts}; collect them from the same examples")
    return layers
