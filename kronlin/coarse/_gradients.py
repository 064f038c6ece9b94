"""Gradients: the mean gradient of each group of examples, such as a class."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kronlin.algebra import Operator, Product
from kronlin.arrays import Array, adjoint, cast, is_array, kind, root_sum_squares, to_numpy
from kronlin.curvature import FisherRoot, LayerStatistics
from kronlin.curvature._fisher import checked_layers
from kronlin.operators import BlockDiagonal, Dense, Diagonal, Selection


def gradients(layers: Sequence[LayerStatistics], groups: Any = None, orthogonal: bool = False) -> BlockDiagonal:
    """The coarse space Z of mean columns, one for each layer and group: Z_l = U_l S D; (p, L times the groups).

    U_l is the root of the Fisher block, whose columns Σ_s g_s ⊗ a_s are gradients of layer l; S (0 or 1) sorts them
    into groups and D divides by their numbers. For the empirical columns one group gives the gradient, cut along the
    layers. The columns are not kept: Z holds the layers' arrays and a list of labels. A mean that is rounding error
    beside the gradients it is made of, which cancel, is zero: in its products nothing but their rounding errors is
    left, each time others.

    Args:
        layers: the statistics of the layers in the order of the parameter vector.
        groups: a label for each example (n,), or for each column (n, K); None for one group. Labels are sorted.
        orthogonal: whether to make the columns of each layer orthonormal, Z_l R_l; directions below about 1e-7 of them
            (3e-3 in single precision) are left out, and a layer of zeros keeps one zero column.

    Raises:
        ValueError: there is no layer, n or K differ, or the labels have another shape.

    Cost: one product to build, a layer at a time, as each product passes over the layers' arrays; `orthogonal` forms
    Z_l twice more.

    >>> import numpy as np, kronlin as kl
    >>> layers = [kl.LayerStatistics(np.array([[1.0], [3.0], [5.0]]), np.ones((3, 1)))]
    >>> gradients(layers, groups=["cat", "cat", "dog"]).to_dense()
    array([[2., 5.]])

    Source: Gur-Ari, Roberts, Dyer, "Gradient descent happens in a tiny subspace", arXiv 1812.04754; Papyan, arXiv
    1901.08244, for the means of classes.
    """
    first = checked_layers(layers)[0]
    labels = _labels(groups, first.n, first.K)
    sizes = np.bincount(labels).tolist()
    spaces: list[Operator] = []
    for layer in layers:
        U = FisherRoot(layer.inputs, layer.output_gradients)
        sort = Selection(labels, len(sizes), like=U)
        mean = Diagonal(_weights(U, sort, 1 / U.kind.asarray(sizes)))
        spaces.append(_orthonormal(U, sort, mean.to_dense()) if orthogonal else Product(U, sort, mean))
    return BlockDiagonal.of_blocks(spaces)


def _labels(groups: Any, n: int, K: int) -> list[int]:
    """The group of each of the n K columns, numbered in the order of the sorted labels."""
    if groups is None:
        return [0] * (n * K)
    labels = np.asarray(to_numpy(groups) if is_array(groups) else groups)
    if labels.shape not in ((n,), (n, K)):
        raise ValueError(f"gradients: groups are labels ({n},) of the examples or ({n}, {K}), not {labels.shape}")
    wide = np.repeat(labels, K) if labels.ndim == 1 else labels.ravel()
    numbers: list[int] = np.unique(wide, return_inverse=True)[1].ravel().tolist()
    return numbers


def _weights(U: FisherRoot, sort: Operator, weights: Array) -> Array:
    """The diagonal of D, with zeros for means that are 100 times rounding error or less."""
    xp = U.kind.xp
    inputs, outputs = (root_sum_squares(x, axis=-1) for x in (U.inputs, U.output_gradients))
    most = cast(xp.reshape(xp.sum(inputs[..., None] * outputs, axis=1), (-1,)), U.kind)  # Σ_s |g_s| |a_s| ≥ |column|
    means = root_sum_squares(Product(U, sort, Diagonal(weights)).to_dense(), axis=0)
    scale = xp.abs(sort.H @ most * weights)
    return xp.where(means > 100 * U.kind.eps * scale, weights, xp.zeros_like(weights))


def _orthonormal(U: Operator, sort: Operator, mixing: Array) -> Operator:
    """U S R with orthonormal columns; the second pass mends what rounding in the first one left."""
    for _ in range(2):
        mixing = mixing @ _inverse_root(Product(U, sort, Dense._make(mixing)).to_dense())
    return Product(U, sort, Dense._make(mixing))


def _inverse_root(z: Array) -> Array:
    """R with orthonormal Z R on the range of Z, whose columns are brought to length 1 first; one zero column for 0.

    From the singular values of Z, not from its Gram matrix: in that a direction that rounding errors alone make would
    look like one of 1e-7.
    """
    own, xp = kind(z), kind(z).xp
    length = root_sum_squares(z, axis=0)
    positive = length > 0
    d = xp.where(positive, 1 / xp.where(positive, length, xp.ones_like(length)), xp.zeros_like(length))
    _, s, right = xp.linalg.svd(cast(z * d, own.double), full_matrices=False)
    floor = own.eps**0.5 * 10
    kept = [i for i, value in enumerate(to_numpy(s).tolist()) if value > floor]
    if not kept:
        return own.zeros(z.shape[1], 1)
    s = xp.take(s, own.indices(kept), axis=0)
    right = xp.take(right, own.indices(kept), axis=0)
    return cast(d[:, None] * adjoint(right) / s, own)
