"""Elementwise: an activation as a stage of its own, as after a reduction."""

from dataclasses import dataclass

from kronlin.sources._activations import Activation, Floats
from kronlin.sources._stage import Shape, Trace, Weightless


@dataclass(frozen=True)
class Elementwise(Weightless):
    """`h ↦ φ(h)`, entry by entry; `Sequential` makes it of the activation's name."""

    activation: Activation

    def require(self, shape: Shape) -> None:
        """Every shape fits."""

    def value(self, h: Floats) -> Floats:
        return self.activation.value(h)

    def carry(self, columns: Floats, trace: Trace) -> Floats:
        return self.activation.backward(columns, trace.inputs, trace.output)
