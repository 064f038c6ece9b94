"""FOOF: K-FAC with the identity in place of the moments of the output gradients."""

from collections.abc import Sequence

from kronlin.algebra import Identity, assume
from kronlin.curvature._fisher import checked_layers
from kronlin.curvature._kfac import input_factor, pooled
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Dense, Kronecker


def foof(layers: Sequence[LayerStatistics], sharing: str = "expand") -> BlockDiagonal:
    """FOOF: F_l ≈ I ⊗ A for every layer with the input factor A of K-FAC, a `BlockDiagonal` of `Kronecker` operators.

    No gradients enter, so the scale of the loss does not either. A step with the inverse is steepest descent in the
    outputs of the layer: it moves the weight so that the outputs change as little as possible for what they win. It is
    F_l up to a factor where G is a multiple of I, as in one linear layer with square loss. Exact damping and the
    inverse take the eigenvectors of A alone.

    Costs n S d_in² multiplications.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.
        sharing: "expand" or "reduce", as in `kfac`.

    Raises:
        ValueError: `sharing` is unknown, there is no layer, or the layers disagree on n or K.

    >>> import numpy as np
    >>> B = foof([LayerStatistics(np.array([[1.0, 2.0]]), np.ones((1, 2)))])
    >>> B
    BlockDiagonal(4×4, float64, psd: Kronecker(2×2 ⊗ 2×2))
    >>> B.to_dense()
    array([[1., 2., 0., 0.],
           [2., 4., 0., 0.],
           [0., 0., 1., 2.],
           [0., 0., 2., 4.]])

    Source: Benzing (2022), "Gradient descent on neurons and its link to approximate second-order optimization",
    arXiv 2201.12250.
    """
    return BlockDiagonal([_block(layer, sharing) for layer in checked_layers(layers)])


def _block(layer: LayerStatistics, sharing: str) -> Kronecker:
    A = input_factor(pooled(layer, sharing)[0])
    return Kronecker(Identity(layer.d_out, like=A), assume(Dense(A), "psd"))
