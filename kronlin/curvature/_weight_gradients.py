"""The columns of a layer's root as weight-shaped gradients, a few at a time."""

from collections.abc import Iterator

from kronlin.arrays import Array, pieces
from kronlin.curvature.root import FisherRoot


def weight_gradients(root: FisherRoot) -> Iterator[Array]:
    """Go through the gradients P_ik = Σ_s g_isk a_isᵀ of examples i and columns k, the columns of the root as matrices.

    Approximations of a Fisher block with shared weights are sums of their products. All of them together would take
    n K d_out d_in entries, so they come in pieces (m, d_out, d_in) of which four stay under the memory limit: one, and
    what is made of it. Going through costs n S K d_out d_in multiplications.

    >>> import numpy as np
    >>> [P] = weight_gradients(FisherRoot(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])))
    >>> P[0]
    array([[3., 6.],
           [4., 8.]])
    """
    entries = 4 * root.shape[0]
    for columns in pieces(root.K, entries, root.kind):
        part = FisherRoot._make(root.inputs, root.output_gradients[:, :, columns, :])
        yield from (piece._gradients() for _, piece in part._some_examples(entries * part.K))
