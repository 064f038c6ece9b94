"""Activations: elementwise functions that know their value and their derivative."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


class Activation(ABC):
    """An elementwise function φ with its derivative.

    A further activation is one more subclass, and one more line in `ACTIVATIONS` if it is to have a name.
    `gain` scales the random weights that feed it, so that the signal neither grows nor dies with depth.

    >>> tanh = activation("tanh")
    >>> z = np.asarray([0.0, 1.0])
    >>> tanh.derivative(z, tanh.value(z)).round(3).tolist()
    [1.0, 0.42]
    """

    name: str
    gain: float = 1.0

    @abstractmethod
    def value(self, z: Floats) -> Floats:
        """`φ(z)`, entry by entry."""

    @abstractmethod
    def derivative(self, z: Floats, value: Floats) -> Floats:
        """`φ′(z)`, entry by entry; `value = φ(z)` is at hand and often the cheaper way."""

    def backward(self, columns: Floats, z: Floats, value: Floats) -> Floats:
        """Columns c (n, K, ...) at the output carried to the input z (n, ...): `φ′(z_i) ⊙ c_ik`."""
        return columns * self.derivative(z, value)[:, None]


class Tanh(Activation):
    """`φ(z) = tanh z`, `φ′ = 1 - φ²`."""

    name = "tanh"

    def value(self, z: Floats) -> Floats:
        return np.tanh(z)

    def derivative(self, z: Floats, value: Floats) -> Floats:
        return 1 - value**2


class ReLU(Activation):
    """`φ(z) = max(z, 0)`, with `φ′(0) = 0` at the kink."""

    name = "relu"
    gain = 2.0**0.5

    def value(self, z: Floats) -> Floats:
        return np.maximum(z, 0)

    def derivative(self, z: Floats, value: Floats) -> Floats:
        return (z > 0).astype(z.dtype)


class Identity(Activation):
    """`φ(z) = z`: the usual last activation; the loss takes the output as it is."""

    name = "identity"

    def value(self, z: Floats) -> Floats:
        return z

    def derivative(self, z: Floats, value: Floats) -> Floats:
        return np.ones_like(z)

    def backward(self, columns: Floats, z: Floats, value: Floats) -> Floats:
        return columns  # nothing to multiply by


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType({a.name: a for a in (Tanh(), ReLU(), Identity())})


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
