"""The diagonal of the exact Fisher matrix."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from kronlin.algebra.structure import promote
from kronlin.arrays import Array, abs2, cast, kind
from kronlin.curvature._fisher import checked_layers, root
from kronlin.curvature._weight_gradients import weight_gradients
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import Diagonal


def diagonal_fisher(layers: Sequence[LayerStatistics]) -> Diagonal:
    """The diagonal of the exact Fisher matrix: d_ou = (1/n) Σ_ik |Σ_s g_isko a_isu|², as a `Diagonal`.

    Nothing is approximated but that the other entries are dropped. Costs n (K d_out + d_in + d_out d_in)
    multiplications for S = 1, and n S K d_out d_in with shared weights, in pieces of bounded size.

    Args:
        layers: the statistics of the layers in the order of the parameter vector, all of the same n and K.

    Raises:
        ValueError: there is no layer, or n, K or the kinds differ.

    >>> import numpy as np
    >>> layer = LayerStatistics(np.array([[1.0, 2.0]]), np.array([[3.0]]))
    >>> diagonal_fisher([layer]).diagonal()
    array([ 9., 36.])

    Source: Martens, "New insights and perspectives on the natural gradient method", arXiv 1412.1193.
    """
    diagonals = [_diagonal(root(layer)) for layer in checked_layers(layers)]
    parts = promote("the diagonal of a Fisher matrix", *diagonals)
    return Diagonal(kind(parts[0]).xp.concat(parts))


def _diagonal(U: FisherRoot) -> Array:
    """One layer's part, complex where its arrays are."""
    return cast(U.kind.xp.reshape(square_sums(U) / U.n, (U.shape[0],)), U.kind)


def square_sums(U: FisherRoot) -> Array:
    """Σ_ik |P_ik|² entry by entry, (d_out, d_in) and real, for P_ik = Σ_s g_isk a_isᵀ."""
    if U.S > 1:
        return reduce(add, (U.kind.xp.sum(abs2(P), axis=0) for P in weight_gradients(U)))
    return reduce(add, (_of_one_position(part) for _, part in U._some_examples(2 * (U.d_in + U.K * U.d_out))))


def _of_one_position(U: FisherRoot) -> Array:
    """|g aᵀ|² = |g|² (|a|²)ᵀ."""
    xp = U.kind.xp
    outputs = xp.sum(abs2(U.output_gradients[:, 0, ...]), axis=1)
    return xp.matrix_transpose(outputs) @ abs2(U.inputs[:, 0, :])
