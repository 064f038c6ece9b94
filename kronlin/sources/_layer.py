"""One layer, a weight with its activation: forward values, backward columns."""

from dataclasses import dataclass

import numpy as np

from kronlin.sources._activations import Activation, Floats
from kronlin.sources._stage import Stage, Trace


@dataclass(frozen=True, eq=False)
class Layer(Stage):
    """The map `h ↦ φ(W~ a)` with `a = [h; 1]` and `W~ = [W | b]`, or `a = h` and `W~ = W` without a bias.

    It acts on the last axis. Between the examples and that one further axes may stand, the positions that share
    the weight: (n, S, d_in) becomes (n, S, d_out). A convolution is such a layer on the patches of an image.

    >>> from kronlin.sources._activations import activation
    >>> layer = Layer(np.asarray([[2.0, 1.0]]), bias=True, activation=activation("identity"))
    >>> layer.forward(np.asarray([[3.0]])).output.tolist()
    [[7.0]]
    """

    weight: Floats
    bias: bool
    activation: Activation
    name: str = "linear"

    def __post_init__(self) -> None:
        weight = np.array(self.weight)  # a copy that nobody can write into
        weight.setflags(write=False)
        object.__setattr__(self, "weight", weight)

    def forward(self, h: Floats) -> Trace:
        """Return the values on the way from the input h (n, ..., d_in without the bias) to the output.

        Cost: O(n S d_out d_in).
        """
        a = np.concatenate([h, np.ones((*h.shape[:-1], 1), dtype=h.dtype)], axis=-1) if self.bias else h
        z = a @ self.weight.T
        return Trace(a, z, self.activation.value(z))

    def backward(self, columns: Floats, trace: Trace) -> tuple[Floats, Floats]:
        """Return columns (n, K, ..., d_out) at the output carried to the preactivation z and on to the input h.

        `g_ik = φ′(z_i) ⊙ c_ik` (n, K, ..., d_out), the layer's output gradients, and `Wᵀ g_ik` (n, K, ..., d_in
        without the bias), what the stage below receives. All columns of all examples at once; cost
        O(n S K d_out d_in).
        """
        g = self.activation.backward(columns, trace.preactivation, trace.output)
        return g, self.to_inputs(g)

    def to_inputs(self, g: Floats) -> Floats:
        """Return `Wᵀ g` for output gradients g (..., d_out): what the input h receives."""
        W = self.weight[:, :-1] if self.bias else self.weight
        return np.tensordot(g, W, axes=1)  # one product for all columns; `@` would take n of them
