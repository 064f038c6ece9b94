"""The reference gradient source: perceptrons, shared weights and convolutions in NumPy and nothing else."""

import math

import numpy as np

from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources._conv2d import Conv2d
from kronlin.sources._linear import Linear
from kronlin.sources._loss import Floats, Labels, Loss
from kronlin.sources._losses import loss_function
from kronlin.sources._mlp import MLP
from kronlin.sources._network import Network
from kronlin.sources._permute import Flatten, Permute
from kronlin.sources._pinn import collect_pinn
from kronlin.sources._positions import PerPosition
from kronlin.sources._reduce import Reduce
from kronlin.sources._sequential import Sequential
from kronlin.sources._source import Fisher, require_options

__all__ = ["MLP", "Conv2d", "Flatten", "Linear", "Permute", "Reduce", "Sequential", "collect", "collect_pinn"]


def collect(
    model: Network,
    loss: str | Loss,
    x: Floats,
    y: Labels,
    fisher: Fisher = "type-2",
    seed: int = 0,
    samples: int = 1,
) -> tuple[tuple[LayerStatistics, ...], Floats, float]:
    """Return `(layers, gradient, loss)` of a network on n examples: all that the curvature is built from.

    The columns `c_ik` at the output, which are carried back to every layer, are

    * "type-2": those of the root `L_i` of the loss Hessian, one for each entry of the output (a position and a class,
      where it has positions). Then `F = (1/n) Σ_i J_iᵀ L_i L_iᵀ J_i` is the exact Fisher matrix, the expectation over
      the model's own labels, without any drawing;
    * "mc": `∇ℓ(f_i, y_ik) / √K` for K = `samples` labels drawn from the model: the same matrix up to noise;
    * "empirical": `∇ℓ(f_i, y_i)` with the given label, summed over the positions of the output, K = 1: another matrix;
      its mean column is the gradient.

    `model` is an `MLP` or a `Sequential`, where weights may be shared over positions. `loss` is "mse", "softmax" or
    "bernoulli", all taken along the last axis of the output and summed over the others, or a `Loss`; what labels y it
    takes is said there. `layers` holds a `LayerStatistics` for each weight: inputs (n, S, d_in), with the column of
    ones last where there is a bias, and output gradients (n, S, K, d_out), not divided by n. For a convolution the S
    positions are the output pixels, row by row, and an input is a patch in the order (C, k_h, k_w). `gradient` (p,)
    is that of the risk, the mean loss of an example, in the order of `model.parameters`; `loss` is the risk.

    Cost: one forward and K + 1 backward passes; memory n Σ S (K d_out + d_in).

    Raises `ValueError` for unknown names, shapes and dtypes that do not fit, labels out of range, n = 0,
    NaN or Inf in x or y, and for an overflow on the way.

    >>> net = MLP((4, 3, 2))
    >>> x, y = np.ones((5, 4)), np.asarray([0, 1, 1, 0, 1])
    >>> layers, gradient, loss = collect(net, "softmax", x, y)
    >>> layers[0]
    LayerStatistics('linear0', n=5, S=1, K=2, d_out=3, d_in=5, numpy float64)
    >>> gradient.shape
    (23,)
    >>> net = Sequential((7, 4), [Linear(3, activation="tanh"), Reduce("mean", axis=0), Linear(2)])
    >>> collect(net, "softmax", np.ones((5, 7, 4)), y)[0][0]
    LayerStatistics('linear0', n=5, S=7, K=2, d_out=3, d_in=5, numpy float64)

    Source: Martens (2020), "New insights and perspectives on the natural gradient method", section 9, for
    the Fisher matrix and its equality with the type-2 matrix; Dangel, Kunstner and Hennig (2020),
    "BackPACK: packing more into backprop", for backpropagating the columns of the root; Kunstner, Balles
    and Hennig (2019), "Limitations of the empirical Fisher approximation", for the difference of the third.
    """
    require_options(fisher, samples)
    head, traces = PerPosition(loss_function(loss)), model.forward(x)
    risk, output_gradients, gradient = model.differentiate(loss, traces, y)
    if not (math.isfinite(risk) and np.isfinite(gradient).all()):
        raise ValueError(
            f"the network overflows: its risk is {risk} with inputs up to {abs(x).max():.3g} and "
            f"parameters up to {abs(model.parameters).max():.3g}; scale the inputs, or train with a smaller "
            "learning_rate"
        )
    f = traces[-1].output
    if fisher == "type-2":
        output_gradients = model.backward(np.moveaxis(head.root(f), -1, 1), traces)
    elif fisher == "mc":
        output_gradients = model.backward(_sampled_columns(head, f, seed, samples), traces)
    parts = zip(model.layers, model.inputs(traces), output_gradients, strict=True)
    layers = tuple(_statistics(a, g, f"{layer.name}{j}") for j, (layer, a, g) in enumerate(parts))
    return layers, gradient, risk


def _sampled_columns(head: Loss, f: Floats, seed: int, samples: int) -> Floats:
    """Return gradients of sampled labels over `√samples`, (n, samples, ..., D), all in one sweep."""
    repeated = np.repeat(f, samples, axis=0)
    labels = head.sample(repeated, np.random.default_rng(seed))
    return head.gradient(repeated, labels).reshape(len(f), samples, *f.shape[1:]) / math.sqrt(samples)


def _statistics(a: Floats, g: Floats, name: str) -> LayerStatistics:
    """Hand over a (n, ..., d_in) and g (n, K, ..., d_out) with the positions in one axis, before the columns."""
    (n, K), S = g.shape[:2], math.prod(a.shape[1:-1])
    g = g.reshape(n, K, S, g.shape[-1]).swapaxes(1, 2)
    return LayerStatistics(a.reshape(n, S, a.shape[-1]), g, name=name)
