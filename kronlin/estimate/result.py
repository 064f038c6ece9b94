"""Estimate: a number, or one a row, with its statistical error."""

from dataclasses import dataclass
from math import floor, inf, log10
from typing import Any

from kronlin.arrays import Array, kind, root_sum_squares


@dataclass(frozen=True, eq=False)
class Estimate:
    """What was estimated, and how far off it probably is; `float(e)` is `e.value` of a real scalar.

    >>> import numpy as np
    >>> Estimate(np.asarray(12.3421), np.asarray(0.0421), samples=10, products=20)
    Estimate(12.34 ± 0.04)
    """

    value: Array
    """The estimate, a scalar or (n,) array in the library, dtype and device of the operator."""

    error: Array
    """The standard error found from the spread of the samples, of the shape of `value`: about half of all
    estimates are nearer to the truth than this, and four of five nearer than twice this."""

    samples: int
    """Random vectors that were drawn; 0 if the answer was cheaper to have exactly."""

    products: int
    """Columns that were multiplied with A or Aᴴ."""

    def __float__(self) -> float:
        if kind(self.value).is_complex:
            raise TypeError("this estimate is complex: take complex(estimate.value)")
        return float(self.value)

    def __repr__(self) -> str:
        if self.value.ndim:
            size, error = (float(root_sum_squares(x, axis=0)) for x in (self.value, self.error))
            return f"Estimate({self.value.shape[0]} entries, relative error {error / size if size else inf:.1e})"
        value, error = complex(self.value), float(self.error)
        if not kind(self.value).is_complex:
            value = value.real
        if not 0 < error < inf:
            return f"Estimate({value:.6g} ± {error:.1g})"
        digits = max(0, -floor(log10(error)))
        if digits > 12 or error >= 1e6:
            return f"Estimate({value:.15g} ± {error:.0e})"
        return f"Estimate({value:.{digits}f} ± {error:.{digits}f})"


def summarised(values: Array, samples: int, products: int) -> Estimate:
    """The mean over the last axis, with the error that equally distributed values of that spread have.

    The leave-one-out values of one sketch are not independent; that this is a good error for them all the same is
    an observation, which the tests repeat.
    """
    own = kind(values)
    count = values.shape[-1]
    mean = own.xp.mean(values, axis=-1)
    spread = root_sum_squares(values - mean[..., None], axis=-1)
    return Estimate(mean, spread / float(count * (count - 1)) ** 0.5, samples, products)


def exactly(value: Any, products: int) -> Estimate:
    """A value that was computed without sampling."""
    own = kind(value)
    return Estimate(value, own.real.zeros(*value.shape), 0, products)
