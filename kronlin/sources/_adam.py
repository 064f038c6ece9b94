"""Adam on the whole batch: a short deterministic training, enough to leave the random start behind."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


def adam(
    objective: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    steps: int,
    learning_rate: float,
    callback: Callable[[int, float], object] | None = None,
) -> Floats:
    """Return the parameters after some steps of Adam with its usual β₁ = 0.9, β₂ = 0.999, ε = 1e-8.

    `m ← β₁ m + (1 - β₁) ∇`,  `v ← β₂ v + (1 - β₂) ∇²`,  `θ ← θ - η m̂ / (√v̂ + ε)`,
    where the hats divide by `1 - β₁ᵗ` and `1 - β₂ᵗ`, because both start at zero.

    `objective(θ)` is `(value, gradient)`; `callback(t, value)` sees the step t = 1, 2, … and the value
    *before* it. Cost: one objective per step. Raises `ValueError` when the value or the gradient stops
    being finite.

    >>> x = adam(lambda x: (float(x @ x), 2 * x), np.asarray([1.0, -1.0]), steps=200, learning_rate=0.1)
    >>> bool(abs(x).max() < 0.01)
    True

    Source: Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.
    """
    if operator.index(steps) < 0:
        raise ValueError(f"steps = {steps} is negative: take 0 for no training at all")
    if not 0 < learning_rate < np.inf:
        raise ValueError(f"learning_rate = {learning_rate} must be positive and finite, for example 1e-2")
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8
    x = start
    m, v = np.zeros_like(start), np.zeros_like(start)
    for t in range(1, steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # reported below, in words
            value, gradient = objective(x)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            raise ValueError(
                f"training diverged: at step {t} of {steps} the risk is {value}; "
                f"take a learning_rate below {learning_rate}, or scale the inputs"
            )
        if callback is not None:
            callback(t, value)
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        x = x - learning_rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return x
