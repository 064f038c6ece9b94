"""The losses of PyTorch that are log-likelihoods: squared error, cross-entropy, Bernoulli."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

from kronlin.sources.pytorch._loss import Elementwise, Loss, require_labels_like
from kronlin.sources.pytorch._torch import Tensor, import_torch


@dataclass(frozen=True, eq=False)
class SquaredError(Elementwise):
    """Σ factor (f - y)², PyTorch's with factor 1; n ∇²h = 2 factor w, w the weight of a term."""

    factor: float = 1.0

    def value(self, f: Tensor, y: Tensor) -> Tensor:
        require_labels_like("the squared error", f, y)
        total = import_torch().nn.functional.mse_loss(f, y, reduction="sum")
        return self.factor * self.weight_of_a_term(f) / len(f) * total

    def curvature(self, f: Tensor, y: Tensor) -> Tensor:
        return import_torch().full_like(f, 2 * self.factor * self.weight_of_a_term(f))

    def sample(self, f: Tensor, y: Tensor, generator: Tensor) -> Tensor:
        noise = import_torch().randn(f.shape, generator=generator, dtype=f.dtype, device=f.device)
        return noise * sqrt(2 * self.factor * self.weight_of_a_term(f))


@dataclass(frozen=True, eq=False)
class Bernoulli(Elementwise):
    """Binary cross-entropy with logits, Σ v (p y softplus(-f) + (1 - y) softplus(f)), v `weight`, p `pos_weight`.

    n ∇²h = w v (p y + 1 - y) q (1 - q), q = sigmoid(f): with a `pos_weight` it depends on the labels.
    """

    weight: Tensor = None
    pos_weight: Tensor = None

    def value(self, f: Tensor, y: Tensor) -> Tensor:
        require_labels_like("binary cross-entropy", f, y)
        total = import_torch().nn.functional.binary_cross_entropy_with_logits(
            f, y.to(f.dtype), self.weight, reduction="sum", pos_weight=self.pos_weight
        )
        return self.weight_of_a_term(f) / len(f) * total

    def curvature(self, f: Tensor, y: Tensor) -> Tensor:
        half = import_torch().exp(-f.abs() / 2)  # √(q (1 - q)) = e^{-|f|/2} / (1 + e^{-|f|}), without a difference
        return self._weights(f, y) * (half / (1 + half**2)) ** 2

    def sample(self, f: Tensor, y: Tensor, generator: Tensor) -> Tensor:
        torch, q = import_torch(), f.sigmoid()
        drawn = torch.rand(f.shape, generator=generator, dtype=f.dtype, device=f.device) < q
        return (q - drawn.to(f.dtype)) * self._weights(f, y).sqrt()

    def _weights(self, f: Tensor, y: Tensor) -> Tensor:
        weights = self.weight_of_a_term(f) if self.weight is None else self.weight_of_a_term(f) * self.weight
        if self.pos_weight is not None:
            weights = weights * (self.pos_weight * y + 1 - y)
        return weights * import_torch().ones_like(f)


@dataclass(frozen=True, eq=False)
class CrossEntropy(Loss):
    """Softmax cross-entropy over the classes of each position, with `weight`, `ignore_index` and `label_smoothing`.

    n ∇²h = t (diag(p) - p pᵀ) = L Lᵀ with L = √t (diag(√p) - p √pᵀ) at each position, and a column for each position
    and class. t is the weight of the term, times that of its class; 0 where the label is ignored.
    """

    axis: int = 1
    weight: Tensor = None
    ignore_index: int = -100
    label_smoothing: float = 0.0

    def value(self, f: Tensor, y: Tensor) -> Tensor:
        if f.ndim < 2:
            raise ValueError(
                f"cross-entropy needs outputs (n, classes, ...), not {tuple(f.shape)}: a single example has n = 1"
            )
        outputs, f = f, f.movedim(self.axis, 1)
        if self._are_probabilities(f, y):
            require_labels_like("cross-entropy", outputs, y)
            y = y.movedim(self.axis, 1).to(f.dtype)
        else:
            self._require_classes(f, y)
        total = import_torch().nn.functional.cross_entropy(
            f, y, self.weight, ignore_index=self.ignore_index, reduction="sum", label_smoothing=self.label_smoothing
        )
        return total / self._divisor(f, y)

    def count(self, f: Tensor) -> int:
        return int(f[0].numel())

    def columns(self, f: Tensor, y: Tensor) -> Iterator[Tensor]:
        rows, t = self._rows(f), self._terms(f, y)
        log_p = rows.log_softmax(dim=-1)
        p, root_p = log_p.exp(), (log_p / 2).exp()  # not √p: that underflows twice as early
        for s in range(rows.shape[1]):
            for c in range(rows.shape[2]):
                column = rows.new_zeros(rows.shape)
                column[:, s] = -p[:, s] * root_p[:, s, c, None]
                column[:, s, c] += root_p[:, s, c]
                yield self._like(column * t[..., None].sqrt(), f)

    def sample(self, f: Tensor, y: Tensor, generator: Tensor) -> Tensor:
        torch, rows = import_torch(), self._rows(f)
        p, classes = rows.softmax(dim=-1), rows.shape[-1]
        drawn = torch.multinomial(p.reshape(-1, classes), 1, generator=generator).reshape(rows.shape[:2])
        column = p - torch.nn.functional.one_hot(drawn, classes).to(p.dtype)
        return self._like(column * self._terms(f, y)[..., None].sqrt(), f)

    def _are_probabilities(self, f: Tensor, y: Tensor) -> bool:
        """Whether labels are probabilities, which the shape tells: class numbers have no axis of classes."""
        return tuple(y.shape) != (f.shape[0], *f.shape[2:])

    def _require_classes(self, f: Tensor, y: Tensor) -> None:
        """Require integers that are classes, or ignored."""
        if y.is_floating_point() or bool(((y < 0) | (y >= f.shape[1])).logical_and(y != self.ignore_index).any()):
            raise ValueError(
                f"cross-entropy got labels of dtype {y.dtype} from {y.min()} to {y.max()} for {f.shape[1]} classes: "
                f"they must be integers in 0..{f.shape[1] - 1}; widen the last layer, or relabel"
            )

    def _rows(self, f: Tensor) -> Tensor:
        """(n, positions, classes)."""
        f = f.movedim(self.axis, -1)
        return f.reshape(len(f), -1, f.shape[-1])

    def _like(self, rows: Tensor, f: Tensor) -> Tensor:
        """Rows back in the shape of f."""
        return rows.reshape(f.movedim(self.axis, -1).shape).movedim(-1, self.axis)

    def _terms(self, f: Tensor, y: Tensor) -> Tensor:
        """n times the weight of each term in h, (n, positions)."""
        f = f.movedim(self.axis, 1)
        given = self._given(f, y)
        smooth = self.label_smoothing
        weights = f.new_ones(f.shape[1]) if self.weight is None else self.weight.to(f.dtype)
        if self._are_probabilities(f, y):
            rows = y.movedim(self.axis, -1).reshape(len(f), -1, f.shape[1]).to(f.dtype)
            total = (rows * weights).sum(dim=-1)
        else:
            total = weights[y.reshape(len(f), -1).where(given, y.new_zeros(()))]
        return len(f) * given * ((1 - smooth) * total + smooth * weights.mean()) / self._divisor(f, y)

    def _given(self, f: Tensor, y: Tensor) -> Tensor:
        """Which terms are not ignored, (n, positions)."""
        if self._are_probabilities(f, y):
            return f.new_ones((len(f), f[0, 0].numel()), dtype=import_torch().bool)
        return (y != self.ignore_index).reshape(len(f), -1)

    def _divisor(self, f: Tensor, y: Tensor) -> Any:
        """What the reduction divides the sum by, for classes in axis 1: the weights of the classes that are given."""
        if self.reduction != "mean":
            return 1 if self.reduction == "sum" else len(f)
        if self._are_probabilities(f, y):
            return f.numel() / f.shape[1]
        given = y[y != self.ignore_index]
        return given.numel() if self.weight is None else self.weight[given].sum()


@dataclass(frozen=True, eq=False)
class Other(Loss):
    """Any function of f and y, which knows no Hessian: for the empirical Fisher alone."""

    function: Callable[[Tensor, Tensor], Tensor] | None = None

    def value(self, f: Tensor, y: Tensor) -> Tensor:
        assert self.function is not None
        h = self.function(f, y)
        if h.ndim:
            raise ValueError(f"the loss has shape {tuple(h.shape)}: reduce it to one number by its mean or sum")
        return h

    def count(self, f: Tensor) -> int:
        raise ValueError(
            f"the Hessian of {self.function!r} is not known: pass an MSELoss, CrossEntropyLoss or BCEWithLogitsLoss of "
            "torch.nn, 'mse', 'softmax', 'bernoulli', a Loss of your own, or take fisher='empirical'"
        )

    def columns(self, f: Tensor, y: Tensor) -> Iterator[Tensor]:
        yield self.count(f)

    def sample(self, f: Tensor, y: Tensor, generator: Tensor) -> Tensor:
        return self.count(f)


NAMED: dict[str, Callable[[], Loss]] = {
    "mse": lambda: SquaredError("examples", factor=0.5),
    "softmax": lambda: CrossEntropy("examples", axis=-1),
    "bernoulli": lambda: Bernoulli("examples"),
}
"""The losses of `numpy_mlp`: a sum for each example, and classes along the last axis."""


def loss_function(loss: Any) -> Loss:
    """The `Loss` that a module of PyTorch or a name stands for; a `Loss` passes through.

    >>> loss_function("mse").factor
    0.5
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        if loss not in NAMED:
            raise ValueError(
                f"unknown loss {loss!r}: choose one of {', '.join(map(repr, NAMED))}, or a module of torch.nn"
            )
        return NAMED[loss]()
    nn = import_torch().nn
    if type(loss) is nn.MSELoss:
        return SquaredError(loss.reduction)
    if type(loss) is nn.BCEWithLogitsLoss:
        return Bernoulli(loss.reduction, loss.weight, loss.pos_weight)
    if type(loss) is nn.CrossEntropyLoss:
        return CrossEntropy(loss.reduction, 1, loss.weight, loss.ignore_index, loss.label_smoothing)
    if not callable(loss):
        raise ValueError(
            f"the loss must be a function of outputs and labels, a module of torch.nn or a name, not {loss!r}"
        )
    return Other(function=loss)
