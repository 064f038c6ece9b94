"""The mean preactivation and the mean output gradient of every layer at one point."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from kronlin.arrays import Array, all_finite, kind
from kronlin.curvature._fisher import checked_layers
from kronlin.curvature.statistics import LayerStatistics


class Means(NamedTuple):
    """z̄ = W~ ā and ḡ (d_out,) of one layer, the means over examples and positions."""

    z: Array
    g: Array


def layer_means(layers: Sequence[LayerStatistics], parameters: Array) -> list[Means]:
    """The means of each layer at the given parameters.

    A layer is linear, so that the mean of its preactivations z = W~ a is W~ times the mean of its inputs, and need not
    be handed over. Costs n S (d_in + d_out) + d_out d_in.

    Args:
        layers: the statistics of the layers in the order of the parameter vector, with one column, the gradient of the
            loss of each example.
        parameters: (p,), layers in order, each [W | b] row by row.

    Raises:
        ValueError: there are several columns, or parameters have the wrong shape or kind, or are not finite.

    >>> import numpy as np
    >>> layer = LayerStatistics(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[5.0], [7.0]]))
    >>> layer_means([layer], np.array([2.0, 1.0]))
    [Means(z=array([5.]), g=array([6.]))]
    """
    layers = checked_layers(layers)
    if layers[0].K != 1:
        raise ValueError(
            f"the output gradients have K = {layers[0].K} columns, but a mean takes the gradient of each loss: "
            'collect them with fisher="empirical"'
        )
    sizes = [layer.parameters for layer in layers]
    if tuple(parameters.shape) != (sum(sizes),):
        raise ValueError(f"parameters have shape {tuple(parameters.shape)}, but the layers need ({sum(sizes)},)")
    if any(kind(parameters) != kind(layer.inputs) for layer in layers):
        raise ValueError(f"parameters are {kind(parameters)}, the layers {kind(layers[0].inputs)}: convert one of them")
    if not all_finite(parameters):
        raise ValueError("parameters hold NaN or Inf: the last step was too long, or its direction overflowed")
    return [
        _means(layer, parameters[end - size : end])
        for layer, size, end in zip(layers, sizes, accumulate(sizes), strict=True)
    ]


def _means(layer: LayerStatistics, vector: Array) -> Means:
    xp = kind(vector).xp
    weight = xp.reshape(vector, (layer.d_out, layer.d_in))
    z = weight @ xp.mean(layer.inputs, axis=(0, 1))
    return Means(z, xp.mean(layer.output_gradients, axis=(0, 1, 2)))
