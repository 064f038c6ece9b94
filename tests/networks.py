"""Random networks with shared weights and convolutions, and data for them."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from kronlin.sources.numpy_mlp import MLP, Conv2d, Flatten, Linear, Permute, Reduce, Sequential

LOSSES = ("mse", "softmax", "bernoulli")
KINDS = ("perceptron", "sequence", "reduced at the end", "reduced midway", "convolution", "pixels")


class Problem(NamedTuple):
    """A network, a loss, and a batch for them."""

    net: Any
    loss: str
    x: np.ndarray
    y: np.ndarray


def problem(net, loss="mse", n=4, seed=0) -> Problem:
    """A network with normal parameters, on inputs in [-2, 2] with labels for the loss.

    The parameters shrink until no value on the way is above 4: where tanh or a probability is saturated, few digits
    are left in the derivative.
    """
    rng = np.random.default_rng(seed)
    net = net.with_parameters(0.7 * rng.standard_normal(net.parameters.shape))
    x = rng.uniform(-2, 2, (n, *net.input_shape))
    while max(abs(z).max() for trace in net.forward(x) for z in (trace.preactivation, trace.output)) > 4:
        net = net.with_parameters(0.8 * net.parameters)
    f = net(x)
    if loss == "softmax":
        return Problem(net, loss, x, rng.integers(f.shape[-1], size=f.shape[:-1]))
    y = rng.standard_normal(f.shape)
    return Problem(net, loss, x, (y > 0).astype(float) if loss == "bernoulli" else y)


@st.composite
def networks(draw, kinds=KINDS, activations=("tanh", "relu", "identity")):
    """A network of one of the kinds, with one to three layers; its parameters are to be drawn."""
    kind, bias, phi = draw(st.sampled_from(kinds)), draw(st.booleans()), draw(st.sampled_from(activations))
    how, width = draw(st.sampled_from(["mean", "sum"])), st.integers(1, 3)

    def linear(least, most):
        return [Linear(draw(width), bias, phi) for _ in range(draw(st.integers(least, most)))]

    d, S = draw(width), draw(width)
    if kind == "perceptron":
        return MLP([d, *draw(st.lists(width, min_size=1, max_size=3))], phi, bias)
    if kind == "sequence":
        return Sequential((S, d), [*linear(0, 2), Linear(draw(width), bias)])
    if kind == "reduced at the end":
        return Sequential((S, d), [*linear(1, 3), Reduce(how, axis=0)])
    if kind == "reduced midway":
        return Sequential((S, d), [*linear(1, 2), Reduce(how, axis=0), phi, *linear(0, 1), Linear(draw(width), bias)])
    size = st.integers(1, 2)
    first = Conv2d(draw(size), (draw(size), draw(size)), draw(size), (draw(size) - 1, draw(size) - 1), bias, phi)
    shape = (d, draw(st.integers(2, 3)), draw(st.integers(2, 4)))
    if kind == "pixels":
        return Sequential(shape, [first, Permute((1, 2, 0)), *linear(1, 1)])
    second = Conv2d(draw(size), 1, 1, draw(st.integers(0, 1)), bias, phi)
    head = [Flatten()] if draw(st.booleans()) else [Reduce(how, axis=(1, 2))]
    return Sequential(shape, [first, second, *head, *linear(0, 1)])


@st.composite
def problems(draw, kinds=KINDS, losses=LOSSES, most=4, **options) -> Problem:
    """A random network with a loss and a batch of up to `most` examples."""
    n, seed = draw(st.integers(1, most)), draw(st.integers(0, 2**32 - 1))
    return problem(draw(networks(kinds, **options)), draw(st.sampled_from(losses)), n, seed)
