"""Conv2d: a two-dimensional convolution, which is a linear layer on patches."""

import operator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kronlin.sources._activations import Activation
from kronlin.sources._linear import Linear
from kronlin.sources._permute import Permute
from kronlin.sources._stage import Part, Shape, Stage
from kronlin.sources._unfold import Unfold


@dataclass(frozen=True)
class Conv2d(Part):
    """A convolution of images (C, H, W) with its activation: unfold the patches, a linear layer, channels first.

    `z[c, s] = Σ_j W[c, j] patch_s[j] + b[c]` for every output pixel s, with patches in the order (C, k_h, k_w). To
    curvature it is a layer whose weight (channels, C k_h k_w) is shared over the S = H′ W′ output pixels;
    `H′ = ⌊(H + 2 padding - k_h) / stride⌋ + 1`, and W′ likewise.

    Args:
        channels: those of the output.
        kernel: (k_h, k_w), or one number for both.
        stride: (vertical, horizontal), or one number for both.
        padding: zeros on either side, (vertical, horizontal), or one number for both.
        bias: whether there is one, a number for each channel.
        activation: "tanh", "relu", "identity" or an `Activation`.

    Raises:
        ValueError: a size is no positive integer (the padding: negative), or there is no such activation.

    >>> from kronlin.sources.numpy_mlp import Conv2d, Sequential
    >>> net = Sequential((2, 8, 6), [Conv2d(3, kernel=3, stride=2, padding=1)])
    >>> net(np.zeros((5, 2, 8, 6))).shape
    (5, 3, 4, 3)
    >>> net.layers[0].weight.shape
    (3, 19)

    Source: Grosse and Martens (2016), "A Kronecker-factored approximate Fisher matrix for convolution layers", for
    the layer on patches.
    """

    channels: int
    kernel: int | tuple[int, int]
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] = 0
    bias: bool = True
    activation: str | Activation = "identity"

    def __post_init__(self) -> None:
        self._parts()

    def _parts(self) -> tuple[Unfold, Linear]:
        unfold = Unfold(_pair(self.kernel), _pair(self.stride), _pair(self.padding))
        return unfold, Linear(self.channels, self.bias, self.activation)

    def build(self, shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> tuple[Stage, ...]:
        """Draw the weight for the patches of an image of that shape."""
        unfold, linear = self._parts()
        unfold.require(shape)
        (layer,) = linear.build(unfold.patches(shape), rng, dtype)
        return unfold, replace(layer, name="conv2d"), Permute((2, 0, 1))


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return one number as two equal ones."""
    first, second = size if isinstance(size, tuple) else (size, size)
    return operator.index(first), operator.index(second)
