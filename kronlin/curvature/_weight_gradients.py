"""The columns of a layer's root as weight-shaped gradients, a few at a time."""

from collections.abc import Iterator

from kronlin.algebra.columns import CHUNK
from kronlin.arrays import Array
from kronlin.curvature.root import FisherRoot


def weight_gradients(root: FisherRoot) -> Iterator[Array]:
    """Go through the gradients P_ik = Σ_s g_isk a_isᵀ of examples i and columns k, the columns of the root as matrices.

    Approximations of a Fisher block with shared weights are sums of their products. All of them together would take
    n K d_out d_in entries, so they come in pieces: arrays (m, d_out, d_in) of at most `CHUNK` entries, or with m = 1.
    Going through costs n S K d_out d_in multiplications.

    >>> import numpy as np
    >>> [P] = weight_gradients(FisherRoot(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])))
    >>> P[0]
    array([[3., 6.],
           [4., 8.]])
    """
    xp, size = root.kind.xp, root.d_out * root.d_in
    width = max(1, min(root.K, CHUNK // size))
    for examples in _pieces(root.n, max(1, CHUNK // (width * size))):
        for columns in _pieces(root.K, width):
            a, g = root.inputs[examples, ...], root.output_gradients[examples, :, columns, :]
            n, S, K, d_out = g.shape
            rows = xp.matrix_transpose(xp.reshape(g, (n, S, K * d_out)))
            yield xp.reshape(rows @ a, (n * K, d_out, root.d_in))


def _pieces(length: int, step: int) -> Iterator[slice]:
    """Cut an axis into slices of at most `step` entries."""
    return (slice(start, min(start + step, length)) for start in range(0, length, step))
