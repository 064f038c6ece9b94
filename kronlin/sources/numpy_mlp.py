"""The reference gradient source: a multilayer perceptron in NumPy and nothing else."""

import math
import operator
from typing import Literal

import numpy as np

from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources._loss import Floats, Labels, Loss
from kronlin.sources._losses import loss_function
from kronlin.sources._mlp import MLP
from kronlin.sources._pinn import collect_pinn

__all__ = ["MLP", "collect", "collect_pinn"]

Fisher = Literal["type-2", "mc", "empirical"]
_FISHERS: tuple[Fisher, ...] = ("type-2", "mc", "empirical")


def collect(
    model: MLP,
    loss: str | Loss,
    x: Floats,
    y: Labels,
    fisher: Fisher = "type-2",
    seed: int = 0,
    samples: int = 1,
) -> tuple[tuple[LayerStatistics, ...], Floats, float]:
    """Return `(layers, gradient, loss)` of a network on n examples: all that the curvature is built from.

    The columns `c_ik` at the output, which are carried back to every layer, are

    * "type-2": those of the root `L_i` of the loss Hessian, K = D. Then `F = (1/n) Σ_i J_iᵀ L_i L_iᵀ J_i` is
      the exact Fisher matrix, the expectation over the model's own labels, without any drawing;
    * "mc": `∇ℓ(f_i, y_ik) / √K` for K = `samples` labels drawn from the model: the same matrix up to noise;
    * "empirical": `∇ℓ(f_i, y_i)` with the given label, K = 1: another matrix; its mean column is the
      gradient.

    `loss` is "mse", "softmax", "bernoulli" or a `Loss`; what labels y it takes is said there. `layers`
    holds a `LayerStatistics` for each layer: inputs (n, d_in), with the column of ones last where there is
    a bias, and output gradients (n, K, d_out), not divided by n. `gradient` (p,) is that of the risk, the
    mean loss, in the order of `MLP.parameters`; `loss` is the risk.

    Cost: one forward and K + 1 backward passes; memory n (K Σ d_out + Σ d_in).

    Raises `ValueError` for unknown names, shapes and dtypes that do not fit, labels out of range, n = 0,
    NaN or Inf in x or y, and for an overflow on the way.

    >>> net = MLP((4, 3, 2))
    >>> x, y = np.ones((5, 4)), np.asarray([0, 1, 1, 0, 1])
    >>> layers, gradient, loss = collect(net, "softmax", x, y)
    >>> layers[0]
    LayerStatistics('linear0', n=5, S=1, K=2, d_out=3, d_in=5, numpy float64)
    >>> gradient.shape
    (23,)

    Source: Martens (2020), "New insights and perspectives on the natural gradient method", section 9, for
    the Fisher matrix and its equality with the type-2 matrix; Dangel, Kunstner and Hennig (2020),
    "BackPACK: packing more into backprop", for backpropagating the columns of the root; Kunstner, Balles
    and Hennig (2019), "Limitations of the empirical Fisher approximation", for the difference of the third.
    """
    if fisher not in _FISHERS:
        raise ValueError(f"unknown fisher {fisher!r}: choose one of {', '.join(map(repr, _FISHERS))}")
    if operator.index(samples) < 1:
        raise ValueError(f"samples = {samples}: at least one label per example must be drawn")
    if samples != 1 and fisher != "mc":
        raise ValueError(f"samples = {samples} has no meaning for fisher={fisher!r}, only for fisher='mc'")
    head, traces = loss_function(loss), model.forward(x)
    risk, output_gradients, gradient = model.differentiate(head, traces, y)
    if not (math.isfinite(risk) and np.isfinite(gradient).all()):
        raise ValueError(
            f"the network overflows: its risk is {risk} with inputs up to {abs(x).max():.3g} and "
            f"parameters up to {abs(model.parameters).max():.3g}; scale the inputs, or train with a smaller "
            "learning_rate"
        )
    f = traces[-1].output
    if fisher == "type-2":
        output_gradients = model.backward(head.root(f).swapaxes(1, 2), traces)
    elif fisher == "mc":
        output_gradients = model.backward(_sampled_columns(head, f, seed, samples), traces)
    layers = tuple(
        LayerStatistics(trace.inputs, g, name=f"linear{j}")
        for j, (trace, g) in enumerate(zip(traces, output_gradients, strict=True))
    )
    return layers, gradient, risk


def _sampled_columns(head: Loss, f: Floats, seed: int, samples: int) -> Floats:
    """Return gradients of sampled labels over `√samples`, (n, samples, D), all in one sweep."""
    repeated = np.repeat(f, samples, axis=0)
    labels = head.sample(repeated, np.random.default_rng(seed))
    return head.gradient(repeated, labels).reshape(len(f), samples, -1) / math.sqrt(samples)
