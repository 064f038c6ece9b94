"""A multilayer perceptron in NumPy: values forward, columns backward, a short training."""

import copy
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kronlin.sources._activations import Activation, activation
from kronlin.sources._adam import adam
from kronlin.sources._linear import Linear, Trace
from kronlin.sources._loss import Floats, Labels, Loss
from kronlin.sources._losses import loss_function


@dataclass(frozen=True, eq=False)
class MLP:
    """A multilayer perceptron, layer by layer `h ↦ φ(W~ [h; 1])` with `W~ = [W | b]`.

    Immutable: `with_parameters` and `train` return new networks.

    Args:
        widths: Sizes from the input to the output, for instance (64, 32, 32, 10): one layer between each pair.
        activation: "tanh", "sigmoid", "sin", "relu", "identity" or an `Activation`, used after every layer but the
            last, whose output goes to the loss as it is; or a sequence of these, one per hidden layer, or one per
            layer.
        bias: Whether the layers have one (it starts at zero).
        seed: Of `numpy.random.default_rng`; the weights are normal with variance `gain² / d_in`.
        dtype: float64 or float32; the same seed gives the same weights up to rounding.

    >>> net = MLP((4, 3, 2), activation="tanh", seed=1)
    >>> net.parameters.shape
    (23,)
    >>> net(np.zeros((5, 4))).shape
    (5, 2)

    """

    widths: Sequence[int]
    activation: str | Activation | Sequence[str | Activation] = "tanh"
    bias: bool = True
    seed: int = field(default=0, repr=False)  # after training it no longer tells the weights
    dtype: npt.DTypeLike = np.float64
    layers: tuple[Linear, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check what was asked for and draw the weights."""
        widths, dtype = _checked_widths(self.widths), _checked_dtype(self.dtype)
        activations = _per_layer(self.activation, len(widths) - 1)
        rng = np.random.default_rng(self.seed)
        layers = []
        for d_in, d_out, phi in zip(widths[:-1], widths[1:], activations, strict=True):
            weight = phi.gain / math.sqrt(d_in) * rng.standard_normal((d_out, d_in))
            weight = np.concatenate([weight, np.zeros((d_out, 1))], axis=1) if self.bias else weight
            layers.append(Linear(weight.astype(dtype), self.bias, phi))
        for name, value in (("widths", widths), ("dtype", dtype), ("layers", tuple(layers))):
            object.__setattr__(self, name, value)

    @property
    def parameters(self) -> Floats:
        """All parameters as one vector (p,): layers in order, each `[W | b]` row by row."""
        return np.concatenate([layer.weight.ravel() for layer in self.layers])

    def with_parameters(self, vector: Floats) -> "MLP":
        """Return this network with other parameters (p,), in the order of `parameters`."""
        sizes = [layer.weight.size for layer in self.layers]
        require_floats("parameters", vector, self.dtype, (sum(sizes),), "network.parameters shows the order")
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        layers = tuple(
            Linear(part.reshape(layer.weight.shape), layer.bias, layer.activation)
            for part, layer in zip(parts, self.layers, strict=True)
        )
        network = copy.copy(self)
        object.__setattr__(network, "layers", layers)
        return network

    def __call__(self, x: Floats) -> Floats:
        """Return the outputs f (n, D) for inputs x (n, d)."""
        return self.forward(x)[-1].output

    def forward(self, x: Floats) -> tuple[Trace, ...]:
        """Return what each layer saw and made of x (n, d): the traces that `backward` needs."""
        require_floats("x", x, self.dtype, (None, self.widths[0]), "rows are examples, columns its features")
        traces: list[Trace] = []
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported by its user
            for layer in self.layers:
                traces.append(layer.forward(traces[-1].output if traces else x))
        return tuple(traces)

    def backward(self, columns: Floats, traces: Sequence[Trace]) -> tuple[Floats, ...]:
        """Return columns (n, K, D) at the output carried back to every layer, (n, K, d_out) each.

        `g_ik = (∂f_i/∂z_i)ᵀ c_ik`, z the preactivation of the layer. Cost: K backward passes, done as one.
        """
        result: list[Floats] = []
        for layer, trace in zip(reversed(self.layers), reversed(traces), strict=True):
            g, columns = layer.backward(columns, trace)
            result.append(g)
        return tuple(reversed(result))

    def differentiate(
        self, loss: str | Loss, traces: Sequence[Trace], y: Labels
    ) -> tuple[float, tuple[Floats, ...], Floats]:
        """Return the risk, the gradients at the output of every layer, and the gradient of the risk.

        The risk is the mean loss `h = (1/n) Σ_i ℓ_i`; the gradients at the layers are those of the single
        ℓ_i, one column (n, 1, d_out) each; `∇h` (p,) is in the order of `parameters`, in each layer the
        matrix `(1/n) Σ_i g_i a_iᵀ`.
        """
        head, f = loss_function(loss), traces[-1].output
        with np.errstate(over="ignore", invalid="ignore"):
            risk = float(head.value(f, y).mean())
            output_gradients = self.backward(head.gradient(f, y)[:, None, :], traces)
            parts = [g[:, 0].T @ t.inputs / len(f) for g, t in zip(output_gradients, traces, strict=True)]
        return risk, output_gradients, np.concatenate([part.ravel() for part in parts])

    def train(
        self,
        loss: str | Loss,
        x: Floats,
        y: Labels,
        steps: int = 100,
        learning_rate: float = 1e-2,
        callback: Callable[[int, float], object] | None = None,
    ) -> "MLP":
        """Return the network after some full-batch steps of Adam, which are deterministic.

        `callback(t, risk)` is called in each step t = 1, 2, …, with the risk before it (for a progress bar).

        >>> x = np.linspace(-1.0, 1.0, 20)[:, None]
        >>> net = MLP((1, 8, 1)).train("mse", x, x**2, steps=200)
        >>> bool(abs(net(x) - x**2).max() < 0.2)
        True
        """

        def objective(parameters: Floats) -> tuple[float, Floats]:
            network = self.with_parameters(parameters)
            risk, _, gradient = network.differentiate(loss, network.forward(x), y)
            return risk, gradient

        return self.with_parameters(adam(objective, self.parameters, steps, learning_rate, callback))


def _checked_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Return the widths as a tuple of at least two positive integers."""
    result = tuple(operator.index(width) for width in widths)
    if len(result) < 2 or min(result) < 1:
        raise ValueError(f"widths = {result}: an input and an output width are needed, each >= 1, such as (4, 5, 3)")
    return result


def _checked_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the dtype of the network, float32 or float64."""
    result = np.dtype(dtype)
    if result not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"dtype = {result}: a network computes in float32 or float64")
    return result


def _per_layer(names: str | Activation | Sequence[str | Activation], layers: int) -> tuple[Activation, ...]:
    """Return one activation per layer; where only the hidden ones are given, the last is the identity."""
    given = [names] * (layers - 1) if isinstance(names, str | Activation) else list(names)
    if len(given) == layers - 1:
        given.append("identity")
    if len(given) != layers:
        raise ValueError(
            f"{len(given)} activations for {layers} layers: give one name for all hidden layers, "
            f"{layers - 1} for the hidden layers, or {layers} with the last layer's"
        )
    # A single name is looked up even where no hidden layer uses it, so that a typing error is never silent.
    if isinstance(names, str):
        activation(names)
    return tuple(activation(name) for name in given)


def require_floats(label: str, x: Any, dtype: npt.DTypeLike, shape: tuple[int | None, ...], hint: str) -> None:
    """Require a finite NumPy array of that dtype and shape (None: any length from one on)."""
    wanted = str(shape).replace("None", "n")
    if not isinstance(x, np.ndarray):
        raise ValueError(f"{label} must be a NumPy array of shape {wanted}, got {type(x).__name__}")
    if x.ndim != len(shape) or any(b not in (None, a) for a, b in zip(x.shape, shape, strict=True)):
        raise ValueError(f"{label} has shape {x.shape}, the network needs {wanted}: {hint}")
    if x.size == 0:
        raise ValueError(f"{label} has shape {x.shape}, n = 0: hand over at least one example")
    if x.dtype != dtype:
        raise ValueError(
            f"{label} has dtype {x.dtype}, the network computes in {dtype}: "
            f"convert by astype, or make it with MLP(..., dtype={str(x.dtype)!r})"
        )
    if not np.isfinite(x).all():
        raise ValueError(f"{label} holds NaN or Inf: drop these entries, or look where they overflowed")
