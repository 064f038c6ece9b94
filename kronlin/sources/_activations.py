"""Activations: elementwise functions that know their value and their derivatives."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


class Activation(ABC):
    """An elementwise function φ with its derivative, and with the next two where a Laplacian is to go through it.

    A further activation is one more subclass, and one more line in `ACTIVATIONS` if it is to have a name.
    `gain` scales the random weights that feed it, so that the signal neither grows nor dies with depth.

    >>> tanh = activation("tanh")
    >>> z = np.asarray([0.0, 1.0])
    >>> tanh.derivative(z, tanh.value(z)).round(3).tolist()
    [1.0, 0.42]
    """

    name: str
    gain: float = 1.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @abstractmethod
    def value(self, z: Floats) -> Floats:
        """`φ(z)`, entry by entry."""

    @abstractmethod
    def derivative(self, z: Floats, value: Floats) -> Floats:
        """`φ′(z)`, entry by entry; `value = φ(z)` is at hand and often the cheaper way."""

    def higher_derivatives(self, z: Floats, value: Floats) -> tuple[Floats, Floats]:
        """`φ″(z)` and `φ‴(z)`, entry by entry, which the Laplacian of a network and its gradient need."""
        raise ValueError(
            f"the activation {self.name!r} does not say what φ″ and φ‴ are, so no Laplacian goes through it: "
            "define its method higher_derivatives, or choose 'tanh', 'sigmoid' or 'sin'"
        )

    def backward(self, columns: Floats, z: Floats, value: Floats) -> Floats:
        """Columns c (n, K, ...) at the output carried to the input z (n, ...): `φ′(z_i) ⊙ c_ik`."""
        return columns * self.derivative(z, value)[:, None]


class Tanh(Activation):
    """`φ(z) = tanh z`, `φ′ = 1 - φ²`, `φ″ = -2 φ φ′`, `φ‴ = (6 φ² - 2) φ′`."""

    name = "tanh"

    def value(self, z: Floats) -> Floats:
        return np.tanh(z)

    def derivative(self, z: Floats, value: Floats) -> Floats:
        return 1 - value**2

    def higher_derivatives(self, z: Floats, value: Floats) -> tuple[Floats, Floats]:
        slope = self.derivative(z, value)
        return -2 * value * slope, (6 * value**2 - 2) * slope


class Sigmoid(Activation):
    """`φ(z) = 1 / (1 + e⁻ᶻ)`, `φ′ = φ (1 - φ)`, `φ″ = (1 - 2 φ) φ′`, `φ‴ = (1 - 6 φ + 6 φ²) φ′`."""

    name = "sigmoid"
    gain = 4.0  # for φ′ ≤ 1/4

    def value(self, z: Floats) -> Floats:
        return sigmoid(z)

    def derivative(self, z: Floats, value: Floats) -> Floats:
        return value * (1 - value)

    def higher_derivatives(self, z: Floats, value: Floats) -> tuple[Floats, Floats]:
        slope = self.derivative(z, value)
        return (1 - 2 * value) * slope, (1 - 6 * value + 6 * value**2) * slope


class Sine(Activation):
    """`φ(z) = sin z`, `φ′ = cos z`, `φ″ = -sin z`, `φ‴ = -cos z`."""

    name = "sin"

    def value(self, z: Floats) -> Floats:
        return np.sin(z)

    def derivative(self, z: Floats, value: Floats) -> Floats:
        return np.cos(z)

    def higher_derivatives(self, z: Floats, value: Floats) -> tuple[Floats, Floats]:
        return -value, -np.cos(z)


class ReLU(Activation):
    """`φ(z) = max(z, 0)`, with `φ′(0) = 0` at the kink."""

    name = "relu"
    gain = 2.0**0.5

    def value(self, z: Floats) -> Floats:
        return np.maximum(z, 0)

    def derivative(self, z: Floats, value: Floats) -> Floats:
        return (z > 0).astype(z.dtype)

    def higher_derivatives(self, z: Floats, value: Floats) -> tuple[Floats, Floats]:
        raise ValueError(
            "a Laplacian cannot go through 'relu': φ″ is zero but at the kink, where it is infinite, so that every "
            "residual would miss what the kinks contribute; choose 'tanh', 'sigmoid' or 'sin'"
        )


class Identity(Activation):
    """`φ(z) = z`: the usual last activation; the loss takes the output as it is."""

    name = "identity"

    def value(self, z: Floats) -> Floats:
        return z

    def derivative(self, z: Floats, value: Floats) -> Floats:
        return np.ones_like(z)

    def higher_derivatives(self, z: Floats, value: Floats) -> tuple[Floats, Floats]:
        return np.zeros_like(z), np.zeros_like(z)

    def backward(self, columns: Floats, z: Floats, value: Floats) -> Floats:
        return columns  # nothing to multiply by


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {a.name: a for a in (Tanh(), ReLU(), Identity(), Sigmoid(), Sine())}
)


def activation(name: str | Activation) -> Activation:
    """Return the activation of that name; an `Activation` object passes through.

    >>> activation("relu").value(np.asarray([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if isinstance(name, Activation):
        return name
    if name not in ACTIVATIONS:
        known = ", ".join(repr(known) for known in ACTIVATIONS)
        raise ValueError(f"unknown activation {name!r}: choose one of {known}, or pass an Activation object")
    return ACTIVATIONS[name]


def sigmoid(z: Floats) -> Floats:
    """Return `1 / (1 + e^{-z})`, accurate and free of overflow for either sign."""
    return np.asarray(np.exp(-np.logaddexp(z.dtype.type(0), -z)))
