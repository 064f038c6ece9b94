"""MLP: a network of linear layers, written by its widths."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kronlin.sources._activations import Activation, activation
from kronlin.sources._layer import Layer
from kronlin.sources._linear import Linear
from kronlin.sources._network import Network, checked_dtype


@dataclass(frozen=True, eq=False)
class MLP(Network):
    """A multilayer perceptron, layer by layer `h ↦ φ(W~ [h; 1])` with `W~ = [W | b]`.

    Immutable: `with_parameters` and `train` return new networks.

    Args:
        widths: Sizes from the input to the output, for instance (64, 32, 32, 10): one layer between each pair.
        activation: "tanh", "sigmoid", "sin", "relu", "identity" or an `Activation`, used after every layer but the
            last, whose output goes to the loss as it is; or a sequence of these, one per hidden layer, or one per
            layer.
        bias: Whether the layers have one (it starts at zero).
        seed: Of `numpy.random.default_rng`; the weights are normal with variance `gain² / d_in`.
        dtype: float64 or float32; the same seed gives the same weights up to rounding.

    >>> net = MLP((4, 3, 2), activation="tanh", seed=1)
    >>> net.parameters.shape
    (23,)
    >>> net(np.zeros((5, 4))).shape
    (5, 2)
    """

    widths: Sequence[int]
    activation: str | Activation | Sequence[str | Activation] = "tanh"
    bias: bool = True
    seed: int = field(default=0, repr=False)  # after training it no longer tells the weights
    dtype: npt.DTypeLike = np.float64

    def __post_init__(self) -> None:
        """Check what was asked for and draw the weights."""
        widths, dtype = _checked_widths(self.widths), checked_dtype(self.dtype)
        activations = _per_layer(self.activation, len(widths) - 1)
        rng, layers = np.random.default_rng(self.seed), list[Layer]()
        for d_in, d_out, phi in zip(widths[:-1], widths[1:], activations, strict=True):
            layers.extend(Linear(d_out, self.bias, phi).build((d_in,), rng, dtype))
        self._define((widths[0],), layers)
        for name, value in (("widths", widths), ("dtype", dtype)):
            object.__setattr__(self, name, value)


def _checked_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Return the widths as a tuple of at least two positive integers."""
    result = tuple(operator.index(width) for width in widths)
    if len(result) < 2 or min(result) < 1:
        raise ValueError(f"widths = {result}: an input and an output width are needed, each >= 1, such as (4, 5, 3)")
    return result


def _per_layer(names: str | Activation | Sequence[str | Activation], layers: int) -> tuple[Activation, ...]:
    """Return one activation per layer; where only the hidden ones are given, the last is the identity."""
    given = [names] * (layers - 1) if isinstance(names, str | Activation) else list(names)
    if len(given) == layers - 1:
        given.append("identity")
    if len(given) != layers:
        raise ValueError(
            f"{len(given)} activations for {layers} layers: give one name for all hidden layers, "
            f"{layers - 1} for the hidden layers, or {layers} with the last layer's"
        )
    # A single name is looked up even where no hidden layer uses it, so that a typing error is never silent.
    if isinstance(names, str):
        activation(names)
    return tuple(activation(name) for name in given)
