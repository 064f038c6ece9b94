"""Sequential: a network of stages, with shared weights and convolutions."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kronlin.sources._activations import Activation, activation
from kronlin.sources._elementwise import Elementwise
from kronlin.sources._network import Network, checked_dtype
from kronlin.sources._stage import Part, Stage


@dataclass(frozen=True, eq=False)
class Sequential(Network):
    """A network of parts, one after the other: layers, activations, reductions.

    Each part is told the shape that reaches it, so that only output sizes are written. Immutable: `with_parameters`
    and `train` return new networks.

    Args:
        shape: That of one example: (d,), a sequence (S, d), an image (C, H, W), or any other.
        parts: `Linear`, `Conv2d`, `Reduce`, `Flatten`, `Permute`, or an activation: "tanh", "relu", "identity" or an
            `Activation`.
        seed: Of `numpy.random.default_rng`, for the weights.
        dtype: float64 or float32; the same seed gives the same weights up to rounding.

    Raises:
        TypeError: Something else is among the parts.
        ValueError: A part does not fit the shape that reaches it, none has a weight, or there is no such activation
            or dtype.

    >>> from kronlin.sources.numpy_mlp import Conv2d, Linear, Reduce
    >>> net = Sequential((1, 8, 8), [Conv2d(4, kernel=3, activation="relu"), Reduce("mean", axis=(1, 2)), Linear(10)])
    >>> net(np.zeros((5, 1, 8, 8))).shape
    (5, 10)
    >>> [layer.weight.shape for layer in net.layers]
    [(4, 10), (10, 5)]
    """

    shape: Sequence[int]
    parts: Sequence[Part | str | Activation]
    seed: int = field(default=0, repr=False)  # after training it no longer tells the weights
    dtype: npt.DTypeLike = np.float64

    def __post_init__(self) -> None:
        shape, parts, dtype = tuple(map(operator.index, self.shape)), tuple(self.parts), checked_dtype(self.dtype)
        if not shape or min(shape) < 1:
            raise ValueError(f"shape = {shape}: that of one example, each length >= 1, such as (28, 28)")
        rng, h, stages = np.random.default_rng(self.seed), np.zeros((1, *shape), dtype), list[Stage]()
        for j, part in enumerate(parts):
            try:
                built = _part(part).build(h.shape[1:], rng, dtype)
            except ValueError as error:
                raise ValueError(f"part {j} of the network, {part!r}: {error}") from error
            for stage in built:  # an example of zeros tells the shape that reaches the next part
                h = stage.forward(h).output
            stages.extend(built)
        self._define(shape, stages)
        if not self.layers:
            raise ValueError(f"the network has no weight: add Linear or Conv2d to its {len(parts)} parts")
        for name, value in (("shape", shape), ("parts", parts), ("dtype", dtype)):
            object.__setattr__(self, name, value)


def _part(part: Part | str | Activation) -> Part:
    """Return a part as it is, an activation as a part."""
    if isinstance(part, str | Activation):
        return Elementwise(activation(part))
    if not isinstance(part, Part):
        raise TypeError(f"a part of a network is Linear, Conv2d, Reduce, … or an activation, not {part!r}")
    return part
