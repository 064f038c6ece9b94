"""LevenbergMarquardt: damping that follows how well the quadratic model foretells the loss."""

from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

from kronlin.curvature._quadratic_model import reduction_ratio

_POOR, _GOOD = 1 / 4, 3 / 4
"""A reduction ratio below the one asks for more damping, above the other for less."""


@dataclass(frozen=True)
class LevenbergMarquardt:
    """The damping λ, raised after poor steps and lowered after good ones, as a value: `update` returns the next one.

    With the ratio ρ of actual to predicted reduction and w < 1: λ ← λ w^T for ρ > 3/4, λ ← λ / w^T for ρ < 1/4, and λ
    stays in between. A loss that is NaN or infinite, and a model that foretells no reduction, count as poor.

    Args:
        lam: λ > 0, the damping to use now.
        decay: w, between 0 and 1.
        interval: T, the number of steps from one update to the next; `due(step)` tells when. The ratio takes the loss
            after the step on the same examples, one more forward pass, so it is not formed at each step.
        bounds: the least and the largest λ.

    Raises `ValueError` for λ outside the bounds or not positive and finite, w outside (0, 1), and T below 1.

    >>> damping = LevenbergMarquardt(1.0, decay=0.5, interval=2)
    >>> damping.update(actual_reduction=0.9, predicted_reduction=1.0).lam
    0.25
    >>> damping.update(float("nan"), 1.0).lam
    4.0
    >>> [step for step in range(1, 7) if damping.due(step)]
    [2, 4, 6]

    Source: Martens and Grosse (2015), "Optimizing neural networks with Kronecker-factored approximate curvature",
    arXiv 1503.05671, for w = 19/20; Martens (2010), "Deep learning via Hessian-free optimization".
    """

    lam: float
    decay: float = 19 / 20
    interval: int = 5
    bounds: tuple[float, float] = (0.0, inf)

    def __post_init__(self) -> None:
        least, largest = self.bounds
        if not (0 <= least <= self.lam <= largest and 0 < self.lam < inf):
            raise ValueError(f"lam must be positive, finite and between the bounds {self.bounds}, not {self.lam}")
        if isinstance(self.interval, bool) or not isinstance(self.interval, int) or self.interval < 1:
            raise ValueError(f"interval must be a whole number of steps from 1 on, not {self.interval!r}")
        if not (0 < self.decay < 1 and self._factor > 0):
            raise ValueError(f"decay must be between 0 and 1, not {self.decay}, and decay ** {self.interval} above 0")

    @property
    def _factor(self) -> float:
        """What an update multiplies or divides λ by."""
        return float(self.decay**self.interval)

    def due(self, step: int) -> bool:
        """Whether the steps, counted from 1, call for an update after this one."""
        return step % self.interval == 0

    def update(self, actual_reduction: Any, predicted_reduction: Any) -> "LevenbergMarquardt":
        """Return the controller after a step with these reductions, numbers or scalar arrays.

        Args:
            actual_reduction: h(θ) - h(θ + d), both on the same examples.
            predicted_reduction: q(0) - q(d), as `-quadratic_model(F, lam, gradient, d)` gives it.
        """
        ratio = reduction_ratio(actual_reduction, predicted_reduction)
        if ratio > _GOOD:
            return self._times(self._factor)
        return self if ratio >= _POOR else self._times(1 / self._factor)

    def _times(self, factor: float) -> "LevenbergMarquardt":
        """λ times a factor, kept within the bounds and within what floats can hold."""
        least, largest = self.bounds
        lam = min(max(self.lam * factor, least), largest)
        return replace(self, lam=lam) if lam > 0 and isfinite(lam) else self
