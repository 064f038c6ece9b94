"""The losses with a name: squared error, softmax cross-entropy and Bernoulli cross-entropy."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from kronlin.sources._activations import sigmoid
from kronlin.sources._loss import Floats, Labels, Loss, require_labels, require_shape


class SquaredError(Loss):
    """Half the squared distance, summed over the outputs: a Gaussian of unit variance around f.

    `ℓ = ½ ‖f - y‖²`,  `∇ℓ = f - y`,  `L = I`,  K = D.

    Labels: (n, D), of the dtype of the output.

    >>> SquaredError().value(np.asarray([[1.0, 2.0]]), np.asarray([[0.0, 0.0]])).tolist()
    [2.5]
    """

    name = "mse"

    def targets(self, f: Floats, y: Labels) -> Floats:
        require_labels(self.name, y)
        require_shape(self.name, f, y)
        if y.dtype != f.dtype:
            raise ValueError(
                f"'mse' got labels of dtype {y.dtype} beside outputs of {f.dtype}: pass y.astype({str(f.dtype)!r})"
            )
        return y

    def value(self, f: Floats, y: Labels) -> Floats:
        return _rowsum((f - self.targets(f, y)) ** 2) / 2

    def gradient(self, f: Floats, y: Labels) -> Floats:
        return f - self.targets(f, y)

    def root(self, f: Floats) -> Floats:
        n, D = f.shape
        return np.broadcast_to(np.eye(D, dtype=f.dtype), (n, D, D))

    def sample(self, f: Floats, rng: np.random.Generator) -> Labels:
        return np.asarray(f + rng.standard_normal(f.shape).astype(f.dtype))


class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of a categorical variable whose logits are f, with `p = softmax(f)`.

    `ℓ = log Σ_c exp f_c - f_y`,  `∇ℓ = p - e_y`,  `L = diag(√p) - p √pᵀ`,  `∇²ℓ = diag(p) - p pᵀ`,  K = D.

    The root has one column per class but rank D - 1: `L √p = 0`.

    Labels: integers (n,) in 0, …, D - 1, or rows (n, D) that are one-hot or, more generally, probabilities.

    >>> loss = SoftmaxCrossEntropy()
    >>> loss.gradient(np.asarray([[0.0, 0.0]]), np.asarray([1])).tolist()
    [[0.5, -0.5]]
    """

    name = "softmax"

    def targets(self, f: Floats, y: Labels) -> Floats:
        n, D = f.shape
        require_labels(self.name, y)
        if y.ndim == 1:
            if not np.issubdtype(y.dtype, np.integer):
                raise ValueError(
                    f"'softmax' got labels of shape {y.shape} and dtype {y.dtype}: class labels are integers "
                    "(y.astype(int)), one-hot labels have shape (n, classes)"
                )
            if y.shape != (n,):
                raise ValueError(f"'softmax' got {y.shape[0]} labels for {n} examples: one integer for each")
            if n and (y.min() < 0 or y.max() >= D):
                raise ValueError(
                    f"'softmax' got labels from {y.min()} to {y.max()} for {D} classes: "
                    f"they must lie in 0..{D - 1}; widen the last layer or relabel"
                )
            return np.asarray(y[:, None] == np.arange(D), dtype=f.dtype)
        require_shape(self.name, f, y)
        rows = y.astype(f.dtype)
        if (rows < 0).any() or (abs(_rowsum(rows) - 1) > D * np.sqrt(np.finfo(f.dtype).eps)).any():
            raise ValueError("'softmax' got rows that are not one-hot: each must be >= 0 and sum to one")
        return rows

    def value(self, f: Floats, y: Labels) -> Floats:
        return -_rowsum(self.targets(f, y) * _log_softmax(f))

    def gradient(self, f: Floats, y: Labels) -> Floats:
        return np.asarray(np.exp(_log_softmax(f)) - self.targets(f, y))

    def root(self, f: Floats) -> Floats:
        log_p = _log_softmax(f)
        root_p = np.exp(log_p / 2)  # not √p: that underflows twice as early
        diagonal = root_p[:, :, None] * np.eye(f.shape[1], dtype=f.dtype)
        return np.asarray(diagonal - np.exp(log_p)[:, :, None] * root_p[:, None, :])

    def sample(self, f: Floats, rng: np.random.Generator) -> Labels:
        # The index of the largest f_c + Gumbel noise is distributed as softmax(f): no sums, no loop.
        return np.asarray(np.argmax(f + rng.gumbel(size=f.shape), axis=1))


class Bernoulli(Loss):
    """Binary cross-entropy, summed over D independent outputs with the logits f, `q = 1 / (1 + e^{-f})`.

    `ℓ = Σ_d y_d log(1 + e^{-f_d}) + (1 - y_d) log(1 + e^{f_d})`,  `∇ℓ = q - y`,  `L = diag(√(q (1 - q)))`,
    K = D.

    Labels: (n, D), of any real dtype, between 0 and 1 (in between: a probability, such as the grey value of
    a pixel).

    >>> Bernoulli().root(np.asarray([[0.0]])).tolist()
    [[[0.5]]]
    """

    name = "bernoulli"

    def targets(self, f: Floats, y: Labels) -> Floats:
        require_labels(self.name, y)
        require_shape(self.name, f, y)
        if y.size and (y.min() < 0 or y.max() > 1):
            raise ValueError(f"'bernoulli' got labels from {y.min()} to {y.max()}: they must lie in [0, 1]")
        return y.astype(f.dtype)

    def value(self, f: Floats, y: Labels) -> Floats:
        t = self.targets(f, y)
        zero = f.dtype.type(0)
        return _rowsum(t * np.logaddexp(zero, -f) + (1 - t) * np.logaddexp(zero, f))

    def gradient(self, f: Floats, y: Labels) -> Floats:
        return sigmoid(f) - self.targets(f, y)

    def root(self, f: Floats) -> Floats:
        half = np.exp(-abs(f) / 2)  # √(q (1 - q)) = e^{-|f|/2} / (1 + e^{-|f|}), without a difference
        return np.asarray((half / (1 + half**2))[:, :, None] * np.eye(f.shape[1], dtype=f.dtype))

    def sample(self, f: Floats, rng: np.random.Generator) -> Labels:
        return (rng.random(f.shape) < sigmoid(f)).astype(f.dtype)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {loss.name: loss for loss in (SquaredError(), SoftmaxCrossEntropy(), Bernoulli())}
)


def loss_function(name: str | Loss) -> Loss:
    """Return the loss of that name; a `Loss` object passes through.

    >>> loss_function("mse").root(np.zeros((1, 2))).tolist()
    [[[1.0, 0.0], [0.0, 1.0]]]
    """
    if isinstance(name, Loss):
        return name
    if name not in LOSSES:
        known = ", ".join(repr(known) for known in LOSSES)
        raise ValueError(f"unknown loss {name!r}: choose one of {known}, or pass a Loss object")
    return LOSSES[name]


def _log_softmax(f: Floats) -> Floats:
    """Return `f - log Σ exp f` row by row; the largest entry is taken off first, against overflow."""
    shifted = f - f.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _rowsum(x: Floats) -> Floats:
    """Return the sum over the outputs of each example."""
    return np.asarray(x.sum(axis=1))
