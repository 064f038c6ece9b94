"""What every stage of a network can do: values forward, columns backward."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kronlin.sources._activations import Floats

Shape = tuple[int, ...]


class Trace(NamedTuple):
    """What a forward pass leaves behind in one stage.

    `inputs` a, what the weight acts on, with the bias column of ones last; `preactivation` z = W~ a; `output` φ(z).
    A stage without a weight has z = a, its input.
    """

    inputs: Floats
    preactivation: Floats
    output: Floats


class Stage(ABC):
    """A map of examples (n, ...) that knows the adjoint of its derivative.

    Columns are (n, K, ...): K vectors for each example, of the shape of what stands there in the forward pass.
    """

    @abstractmethod
    def forward(self, h: Floats) -> Trace:
        """Return the values on the way from the input to the output."""

    @abstractmethod
    def backward(self, columns: Floats, trace: Trace) -> tuple[Floats | None, Floats]:
        """Return columns at the output carried to where the weight acts (None: there is no weight), and to the input.

        `g_ik = (∂output_i/∂z_i)ᵀ c_ik` and `(∂output_i/∂input_i)ᵀ c_ik`.
        """


class Part(ABC):
    """What a network is written with: it becomes one or more stages once the shape of an input is known."""

    @abstractmethod
    def build(self, shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> tuple[Stage, ...]:
        """Return the stages for an example of that shape; raise `ValueError` if it does not fit."""


class Weightless(Stage, Part):
    """A stage without a weight: it is its own part."""

    @abstractmethod
    def require(self, shape: Shape) -> None:
        """Raise `ValueError` for an example whose shape does not fit."""

    @abstractmethod
    def value(self, h: Floats) -> Floats:
        """Return the output for the input h (n, ...)."""

    @abstractmethod
    def carry(self, columns: Floats, trace: Trace) -> Floats:
        """Return columns (n, K, ...) at the output carried to the input."""

    def build(self, shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> tuple[Stage, ...]:
        self.require(shape)
        return (self,)

    def forward(self, h: Floats) -> Trace:
        return Trace(h, h, self.value(h))

    def backward(self, columns: Floats, trace: Trace) -> tuple[None, Floats]:
        return None, self.carry(columns, trace)
