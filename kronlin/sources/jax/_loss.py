"""What a loss must know about one example: its value, the root of its Hessian, and labels of its own."""

from abc import ABC, abstractmethod

from kronlin.arrays import Array
from kronlin.sources.jax._jax import import_jax


class Loss(ABC):
    """A loss ℓ(f, y) = -log p(y | f) + const of one example, for outputs f of shape `(*positions, D)`.

    The output is the natural parameter of p, so that `∇²ℓ(f) = Σ_k c_k c_kᵀ = E_{y~p(·|f)} ∇ℓ ∇ℓᵀ`, whatever y. The
    risk is the mean of ℓ over the examples; all methods but `targets` are compiled.

    Source: Martens (2020), "New insights and perspectives on the natural gradient method".
    """

    name: str

    @abstractmethod
    def targets(self, f: Array, y: Array) -> Array:
        """The labels of all examples as the other methods take them, (n, ...).

        Of the outputs f (n, ...) only shape and dtype are known here, and of the labels too.
        """

    @abstractmethod
    def value(self, f: Array, y: Array) -> Array:
        """`ℓ(f, y)`, a number."""

    def gradient(self, f: Array, y: Array) -> Array:
        """`∇ℓ(f, y)` in f."""
        return import_jax().grad(self.value)(f, y)

    @abstractmethod
    def columns(self, f: Array) -> Array:
        """The root of `∇²ℓ(f)`, of shape `(K, *f.shape)`."""

    @abstractmethod
    def sample(self, f: Array, key: Array) -> Array:
        """A label drawn from the model, as `targets` returns it."""

    def check(self, f: Array, y: Array) -> None:
        """Look at the entries of the labels, outside of what is compiled; raise `ValueError` if they do not fit."""
        return


def require_shape(name: str, f: Array, y: Array) -> None:
    """Require one label for each output: they would be broadcast."""
    if tuple(y.shape) != tuple(f.shape):
        raise ValueError(
            f"{name!r} got labels of shape {tuple(y.shape)} beside outputs of shape {tuple(f.shape)}: one label per "
            "output"
        )
