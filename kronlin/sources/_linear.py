"""Linear: a layer on the last axis, its weight drawn when the length of that axis is known."""

import math
import operator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kronlin.sources._activations import Activation, activation
from kronlin.sources._layer import Layer
from kronlin.sources._stage import Part, Shape


@dataclass(frozen=True)
class Linear(Part):
    """A linear layer with its activation on the last axis, `h ↦ φ(W h + b)`; its weight is shared over the others.

    An example of shape (..., d_in), the positions first, becomes (..., outputs). The weights are normal with variance
    `gain² / d_in`, the gain that of the activation; the biases start at zero.

    Args:
        outputs: d_out.
        bias: whether there is one.
        activation: "tanh", "sigmoid", "sin", "relu", "identity" or an `Activation`.

    Raises:
        ValueError: `outputs` < 1, or there is no such activation.

    >>> from kronlin.sources.numpy_mlp import Linear, Sequential
    >>> net = Sequential((7, 4), [Linear(5, activation="tanh"), Linear(3)])
    >>> net(np.zeros((2, 7, 4))).shape
    (2, 7, 3)
    """

    outputs: int
    bias: bool = True
    activation: str | Activation = "identity"

    def __post_init__(self) -> None:
        activation(self.activation)
        if operator.index(self.outputs) < 1:
            raise ValueError(f"outputs = {self.outputs}: a layer has at least one")

    def build(self, shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> tuple[Layer]:
        """Draw the weight."""
        if not shape:
            raise ValueError("an example is a single number here: a layer needs an axis to act on")
        phi, d_in = activation(self.activation), shape[-1]
        weight = phi.gain / math.sqrt(d_in) * rng.standard_normal((self.outputs, d_in))
        weight = np.concatenate([weight, np.zeros((self.outputs, 1))], axis=1) if self.bias else weight
        return (Layer(weight.astype(dtype), self.bias, phi),)
