"""What a loss of a whole batch must know: its value, the roots of its Hessian, and labels of its own."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from kronlin.sources.pytorch._torch import Tensor, import_torch

REDUCTIONS = ("mean", "sum", "examples")


@dataclass(frozen=True, eq=False)
class Loss(ABC):
    """A loss h(f, y) = (1/n) Σ_i ℓ_i of the outputs f (n, ...) of all examples, as PyTorch reduces it.

    Whatever averages, weights and factors h has are in the ℓ_i: ∇²ℓ_i = n ∇²h in f_i. So the Fisher matrix of the ℓ_i
    is that of h, and the mean of their gradients is its gradient.

    Args:
        reduction: "sum" over all terms, "mean" over them, or "examples": the sum over terms, the mean over examples.
    """

    reduction: str = "mean"

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            known = ", ".join(map(repr, REDUCTIONS))
            raise ValueError(f"reduction {self.reduction!r} leaves no number to differentiate: take one of {known}")

    @abstractmethod
    def value(self, f: Tensor, y: Tensor) -> Tensor:
        """h(f, y), a tensor without axes, to be differentiated."""

    @abstractmethod
    def count(self, f: Tensor) -> int:
        """The number K of columns."""

    @abstractmethod
    def columns(self, f: Tensor, y: Tensor) -> Iterator[Tensor]:
        """K columns c_k of the shape of f with Σ_k c_ik c_ikᵀ = n ∇²h in f_i, one after the other."""

    @abstractmethod
    def sample(self, f: Tensor, y: Tensor, generator: Tensor) -> Tensor:
        """One column like f: the gradient with labels drawn from the model, scaled so that E c cᵀ = n ∇²h."""


class Elementwise(Loss):
    """A loss whose Hessian is diagonal, Σ_j over all entries of the output: a column for each entry."""

    @abstractmethod
    def curvature(self, f: Tensor, y: Tensor) -> Tensor:
        """The diagonal of n ∇²h, of the shape of f."""

    def count(self, f: Tensor) -> int:
        return int(f[0].numel())

    def columns(self, f: Tensor, y: Tensor) -> Iterator[Tensor]:
        root = import_torch().sqrt(self.curvature(f, y)).flatten(1)
        for j in range(root.shape[1]):
            column = root.new_zeros(root.shape)
            column[:, j] = root[:, j]
            yield column.reshape(f.shape)

    def weight_of_a_term(self, f: Tensor) -> float:
        """n times the factor which the reduction gives a term."""
        return {"mean": len(f) / f.numel(), "sum": float(len(f)), "examples": 1.0}[self.reduction]


def require_labels_like(title: str, f: Tensor, y: Tensor) -> None:
    """Require one label for each output: PyTorch would broadcast (n,) beside (n, 1) to (n, n)."""
    if tuple(y.shape) != tuple(f.shape):
        raise ValueError(
            f"{title} got labels of shape {tuple(y.shape)} beside outputs of shape {tuple(f.shape)}: one label for "
            "each output; bring them to one shape by reshape"
        )
