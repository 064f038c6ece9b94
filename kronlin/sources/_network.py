"""What every network has: parameters, values forward, columns backward, gradients and a short training."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from kronlin.sources._adam import adam
from kronlin.sources._layer import Layer
from kronlin.sources._loss import Floats, Labels, Loss
from kronlin.sources._losses import loss_function
from kronlin.sources._positions import PerPosition
from kronlin.sources._stage import Shape, Stage, Trace


class Network:
    """Stages one after the other; those with a weight are its layers.

    A subclass has a `dtype`, and says in its constructor how the stages are made. Immutable: `with_parameters` and
    `train` return new networks.
    """

    dtype: npt.DTypeLike
    stages: tuple[Stage, ...]
    input_shape: Shape

    def _define(self, input_shape: Shape, stages: Sequence[Stage]) -> None:
        """Set the shape of an input, without the axis of the examples, and the stages."""
        object.__setattr__(self, "input_shape", input_shape)
        object.__setattr__(self, "stages", tuple(stages))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The stages with a weight."""
        return tuple(stage for stage in self.stages if isinstance(stage, Layer))

    @property
    def parameters(self) -> Floats:
        """All parameters as one vector (p,): layers in order, each `[W | b]` row by row."""
        return np.concatenate([layer.weight.ravel() for layer in self.layers])

    def with_parameters(self, vector: Floats) -> Self:
        """Return this network with other parameters (p,), in the order of `parameters`."""
        sizes = [layer.weight.size for layer in self.layers]
        self._require("parameters", vector, (sum(sizes),), "network.parameters shows the order")
        parts = iter(np.split(vector, np.cumsum(sizes)[:-1]))
        network = copy.copy(self)
        network._define(
            self.input_shape,
            [
                replace(stage, weight=next(parts).reshape(stage.weight.shape)) if isinstance(stage, Layer) else stage
                for stage in self.stages
            ],
        )
        return network

    def __call__(self, x: Floats) -> Floats:
        """Return the outputs f (n, ..., D) for inputs x."""
        return self.forward(x)[-1].output

    def forward(self, x: Floats) -> tuple[Trace, ...]:
        """Return what each stage saw and made of x (n, ...): the traces that `backward` needs."""
        self._require("x", x, (None, *self.input_shape), "the first axis counts the examples")
        traces: list[Trace] = []
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported by its user
            for stage in self.stages:
                traces.append(stage.forward(traces[-1].output if traces else x))
        return tuple(traces)

    def backward(self, columns: Floats, traces: Sequence[Trace]) -> tuple[Floats, ...]:
        """Return columns (n, K, ..., D) at the output carried back to every layer, (n, K, ..., d_out) each.

        `g_ik = (∂f_i/∂z_i)ᵀ c_ik`, z the preactivation of the layer. Cost: K backward passes, done as one.
        """
        result: list[Floats] = []
        for stage, trace in zip(reversed(self.stages), reversed(traces), strict=True):
            g, columns = stage.backward(columns, trace)
            if g is not None:
                result.append(g)
        return tuple(reversed(result))

    def inputs(self, traces: Sequence[Trace]) -> tuple[Floats, ...]:
        """Return what the weight of every layer acted on, (n, ..., d_in) with the bias column last."""
        return tuple(t.inputs for stage, t in zip(self.stages, traces, strict=True) if isinstance(stage, Layer))

    def differentiate(
        self, loss: str | Loss, traces: Sequence[Trace], y: Labels
    ) -> tuple[float, tuple[Floats, ...], Floats]:
        """Return the risk, the gradients at the output of every layer, and the gradient of the risk.

        The risk is the mean loss `h = (1/n) Σ_i ℓ_i`, where the loss of one example is summed over the positions of
        its output; the gradients at the layers are those of the single ℓ_i, one column (n, 1, ..., d_out) each;
        `∇h` (p,) is in the order of `parameters`, in each layer the matrix `(1/n) Σ_is g_is a_isᵀ`.
        """
        head, f = PerPosition(loss_function(loss)), traces[-1].output
        with np.errstate(over="ignore", invalid="ignore"):
            risk = float(head.value(f, y).mean())
            output_gradients = self.backward(head.gradient(f, y)[:, None], traces)
            pairs = zip(output_gradients, self.inputs(traces), strict=True)
            parts = [g.reshape(-1, g.shape[-1]).T @ a.reshape(-1, a.shape[-1]) / len(f) for g, a in pairs]
        return risk, output_gradients, np.concatenate([part.ravel() for part in parts])

    def train(
        self,
        loss: str | Loss,
        x: Floats,
        y: Labels,
        steps: int = 100,
        learning_rate: float = 1e-2,
        callback: Callable[[int, float], object] | None = None,
    ) -> Self:
        """Return the network after some full-batch steps of Adam, which are deterministic.

        `callback(t, risk)` is called in each step t = 1, 2, …, with the risk before it (for a progress bar).

        >>> from kronlin.sources.numpy_mlp import MLP
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

    def _require(self, label: str, x: Any, shape: tuple[int | None, ...], hint: str) -> None:
        """Require a finite NumPy array of that shape (None: any length from one on) and of the network's dtype."""
        wanted = str(shape).replace("None", "n")
        if not isinstance(x, np.ndarray):
            raise ValueError(f"{label} must be a NumPy array of shape {wanted}, got {type(x).__name__}")
        if x.ndim != len(shape) or any(b not in (None, a) for a, b in zip(x.shape, shape, strict=True)):
            raise ValueError(f"{label} has shape {x.shape}, the network needs {wanted}: {hint}")
        if x.size == 0:
            raise ValueError(f"{label} has shape {x.shape}, n = 0: hand over at least one example")
        if x.dtype != self.dtype:
            raise ValueError(
                f"{label} has dtype {x.dtype}, the network computes in {self.dtype}: "
                f"convert by astype, or make it with {type(self).__name__}(..., dtype={str(x.dtype)!r})"
            )
        if not np.isfinite(x).all():
            raise ValueError(f"{label} holds NaN or Inf: drop these entries, or look where they overflowed")


def checked_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the dtype of a network, float32 or float64."""
    result = np.dtype(dtype)
    if result not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"dtype = {result}: a network computes in float32 or float64")
    return result
