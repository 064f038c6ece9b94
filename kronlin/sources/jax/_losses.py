"""The losses with a name, those of `numpy_mlp`, and any function for the empirical Fisher."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kronlin.arrays import Array
from kronlin.sources.jax._jax import import_jax
from kronlin.sources.jax._loss import Loss, require_shape


class SquaredError(Loss):
    """Half the squared distance: `ℓ = ½ ‖f - y‖²`, `∇²ℓ = I`.

    Labels: real numbers of the shape of the output.
    """

    name = "mse"

    def targets(self, f: Array, y: Array) -> Array:
        require_shape(self.name, f, y)
        return y.astype(f.dtype)

    def value(self, f: Array, y: Array) -> Array:
        return ((f - y) ** 2).sum() / 2

    def columns(self, f: Array) -> Array:
        return import_jax().numpy.eye(f.size, dtype=f.dtype).reshape(f.size, *f.shape)

    def sample(self, f: Array, key: Array) -> Array:
        return f + import_jax().random.normal(key, f.shape, f.dtype)


class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of a categorical variable at each position, p = softmax(f) along the last axis.

    `ℓ = log Σ_c exp f_c - f_y`, with a root `diag(√p) - p √pᵀ` and a column for each position and class.

    Labels: integers (n, *positions), or probabilities of the shape of the output.
    """

    name = "softmax"

    def targets(self, f: Array, y: Array) -> Array:
        jax, shape = import_jax(), tuple(f.shape)
        if tuple(y.shape) == shape[:-1] and jax.numpy.issubdtype(y.dtype, jax.numpy.integer):
            return jax.nn.one_hot(y, shape[-1], dtype=f.dtype)
        if tuple(y.shape) != shape:
            raise ValueError(
                f"'softmax' got labels of shape {tuple(y.shape)} and dtype {y.dtype} beside outputs of shape {shape}: "
                f"class labels are integers of shape {shape[:-1]}, probabilities have the shape of the outputs"
            )
        return y.astype(f.dtype)

    def check(self, f: Array, y: Array) -> None:
        classes = f.shape[-1]
        if y.ndim < f.ndim:
            low, high = int(y.min()), int(y.max())
            if low < 0 or high >= classes:
                raise ValueError(
                    f"'softmax' got labels from {low} to {high} for {classes} classes: they must lie in "
                    f"0..{classes - 1}; widen the last layer or relabel"
                )
        elif float(y.min()) < 0 or float(abs(y.sum(axis=-1) - 1).max()) > 1e-3:
            raise ValueError("'softmax' got rows that are not one-hot: each must be >= 0 and sum to one")

    def value(self, f: Array, y: Array) -> Array:
        return -(y * import_jax().nn.log_softmax(f)).sum()

    def columns(self, f: Array) -> Array:
        xp = import_jax().numpy
        classes = f.shape[-1]
        log_p = import_jax().nn.log_softmax(f.reshape(-1, classes))
        root_p = xp.exp(log_p / 2)  # not √p: that underflows twice as early
        block = root_p[:, :, None] * (xp.eye(classes, dtype=f.dtype) - xp.exp(log_p)[:, None, :])  # (s, c, class)
        apart = xp.eye(len(log_p), dtype=f.dtype)[:, None, :, None] * block[:, :, None, :]
        return apart.reshape(f.size, *f.shape)

    def sample(self, f: Array, key: Array) -> Array:
        jax = import_jax()
        return jax.nn.one_hot(jax.random.categorical(key, f), f.shape[-1], dtype=f.dtype)


class Bernoulli(Loss):
    """Binary cross-entropy of independent outputs, with the logits f and q = 1 / (1 + e^{-f}).

    `ℓ = Σ y log(1 + e^{-f}) + (1 - y) log(1 + e^{f})`, `∇²ℓ = diag(q (1 - q))`.

    Labels: of the shape of the output, in [0, 1].
    """

    name = "bernoulli"

    def targets(self, f: Array, y: Array) -> Array:
        require_shape(self.name, f, y)
        return y.astype(f.dtype)

    def check(self, f: Array, y: Array) -> None:
        low, high = float(y.min()), float(y.max())
        if low < 0 or high > 1:
            raise ValueError(f"'bernoulli' got labels from {low} to {high}: they must lie in [0, 1]")

    def value(self, f: Array, y: Array) -> Array:
        softplus = import_jax().nn.softplus
        return (y * softplus(-f) + (1 - y) * softplus(f)).sum()

    def columns(self, f: Array) -> Array:
        xp = import_jax().numpy
        half = xp.exp(-abs(f.ravel()) / 2)  # √(q (1 - q)) = e^{-|f|/2} / (1 + e^{-|f|}), without a difference
        return xp.diag(half / (1 + half**2)).reshape(f.size, *f.shape)

    def sample(self, f: Array, key: Array) -> Array:
        jax = import_jax()
        return jax.random.bernoulli(key, jax.nn.sigmoid(f)).astype(f.dtype)


@dataclass(frozen=True)
class Other(Loss):
    """Any function of the outputs and the labels of one example, whose Hessian is not known."""

    function: Callable[[Array, Array], Array]

    name = "the loss"

    def targets(self, f: Array, y: Array) -> Array:
        return y

    def value(self, f: Array, y: Array) -> Array:
        result = self.function(f, y)
        if result.ndim:
            raise ValueError(
                f"the loss of one example has shape {result.shape}, for its outputs {f.shape}: it must be one number"
            )
        return result

    def columns(self, f: Array) -> Array:
        raise ValueError(
            f"the Hessian of {self.function!r} is not known: pass 'mse', 'softmax', 'bernoulli' or a Loss of your own, "
            "or take fisher='empirical'"
        )

    def sample(self, f: Array, key: Array) -> Array:
        return self.columns(f)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {loss.name: loss for loss in (SquaredError(), SoftmaxCrossEntropy(), Bernoulli())}
)


def loss_function(loss: Any) -> Loss:
    """The loss of that name, or that a function of one example is; a `Loss` passes through.

    >>> loss_function("mse").name
    'mse'
    """
    if isinstance(loss, Loss):
        return loss
    if callable(loss):
        return Other(loss)
    if loss not in LOSSES:
        known = ", ".join(map(repr, LOSSES))
        raise ValueError(f"unknown loss {loss!r}: choose one of {known}, or pass a function of one example's f and y")
    return LOSSES[loss]
