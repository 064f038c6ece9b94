"""What a loss must know as a function of the network output, and the checks of its labels."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[Any]


class Loss(ABC):
    """A loss ℓ(f, y) = -log p(y | f) + const, given by an output f of shape (n, D) and labels y.

    The output is the natural parameter of the distribution p, so that the Hessian in f does not depend on y
    and is the covariance of the gradient over the model's own labels:
    `∇²ℓ(f) = L Lᵀ = E_{y~p(·|f)} ∇ℓ ∇ℓᵀ`.

    Nothing is averaged: each method speaks about one example at a time, stacked along the first axis.

    Source: Martens (2020), "New insights and perspectives on the natural gradient method", section 9.2.
    """

    name: str

    @abstractmethod
    def targets(self, f: Floats, y: Labels) -> Floats:
        """Return the labels, checked, in the shape (n, D) and the dtype of f."""

    @abstractmethod
    def value(self, f: Floats, y: Labels) -> Floats:
        """`ℓ(f_i, y_i)`, of shape (n,)."""

    @abstractmethod
    def gradient(self, f: Floats, y: Labels) -> Floats:
        """`∇ℓ(f_i, y_i)` in f, of shape (n, D)."""

    @abstractmethod
    def root(self, f: Floats) -> Floats:
        """`L_i` with `L_i L_iᵀ = ∇²ℓ(f_i)`, of shape (n, D, K); it may be a read-only view."""

    @abstractmethod
    def sample(self, f: Floats, rng: np.random.Generator) -> Labels:
        """One label per example, drawn from the model, in a form that `targets` accepts."""


def require_labels(name: str, y: Labels) -> None:
    """Require a NumPy array of finite real numbers."""
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "fiub":
        got = f"dtype {y.dtype}" if isinstance(y, np.ndarray) else type(y).__name__
        raise ValueError(f"{name!r} needs labels as a NumPy array of real numbers, got {got}: use numpy.asarray")
    if not np.isfinite(y).all():
        raise ValueError(f"{name!r} got labels with NaN or Inf: drop these examples")


def require_shape(name: str, f: Floats, y: Labels) -> None:
    """Require one label per output."""
    if y.shape != f.shape:
        raise ValueError(
            f"{name!r} got labels of shape {y.shape} beside outputs of shape {f.shape}: one label per output"
        )
