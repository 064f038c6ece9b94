"""RunningAverage: the mean of curvature over the steps of a training run, which forgets slowly and has no bias."""

from dataclasses import dataclass, replace
from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.arrays import Array, all_finite, convert
from kronlin.curvature._mix import mix, require_mixable
from kronlin.curvature._rotate import rotate

_ARRAY = "array "
"""What the names of the arrays in a state begin with."""


@dataclass(frozen=True, eq=False)
class RunningAverage:
    """S_k = ρ_k S_{k-1} + (1 - ρ_k) new with ρ_k = min(1 - 1/k, α), factor by factor; `update` returns the next one.

    While 1 - 1/k < α, S_k is the mean of all k quantities so far, so it has no bias towards a start and needs no
    correction; later it is an exponential moving average, and with α = 1 it stays the mean.

    The factors are averaged: a `Kronecker` operator becomes the product of the mean factors, which is not the mean of
    the products (K-FAC as it is meant; of `tkfac` it is the trace that is the mean). The mean of a `Dense`, `Diagonal`
    or `Spectral` operator is the mean of the matrices. Quantities of different structures, sizes or kinds are refused,
    and so are `Spectral` ones in different bases, such as two of `ekfac`, and sums of Kronecker products.

    Args:
        alpha: α, from 0 (keep the newest only) to 1.
        count: k, the number of quantities in it.
        value: S_k, an operator, which `save` can write; None while k = 0.

    Raises `ValueError` for α outside [0, 1], and for a count that does not go with the value.

    >>> import numpy as np, kronlin as kl
    >>> average = kl.RunningAverage(alpha=0.95)
    >>> for x in (1.0, 2.0, 6.0):
    ...     average = average.update(kl.Kronecker(x * np.eye(2), np.eye(1)))
    >>> average.count, average.value.to_dense()
    (3, array([[3., 0.], [0., 3.]]))

    Source: Martens and Grosse (2015), "Optimizing neural networks with Kronecker-factored approximate curvature",
    arXiv 1503.05671, for ρ_k with α = 0.95; George et al. (2018), arXiv 1806.03884, for eigenvalues in a kept basis.
    """

    alpha: float = 0.95
    count: int = 0
    value: Operator | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be from 0 to 1, not {self.alpha}: it is the weight of what went before")
        if self.count < 0 or (self.count == 0) != (self.value is None):
            raise ValueError(f"a count of {self.count} does not go with the value {self.value!r}")

    def update(self, new: Any) -> "RunningAverage":
        """Return the average with one more operator or array in it.

        Raises:
            ValueError: it cannot be averaged, or not with the quantities before; the message says why.
        """
        new = rules.wrap(new)
        old = new if self.value is None else self.value  # so that the first one shows whether it can be averaged
        require_mixable(old, new)
        k = self.count + 1
        return replace(self, count=k, value=mix(old, new, min(1 - 1 / k, self.alpha)))

    def reset(self) -> "RunningAverage":
        """Return an empty average with the same α."""
        return replace(self, count=0, value=None)

    def rotate(self, basis: Operator) -> "RunningAverage":
        """Return the average with its eigenvalues in the basis of another operator, as `kronlin.rotate` finds them."""
        return self if self.value is None else replace(self, value=rotate(self.value, basis))

    def state_dict(self) -> dict[str, Any]:
        """Return α, the count and the arrays of the value by name, as `numpy.savez` or a checkpoint takes them."""
        arrays = [] if self.value is None else _arrays_of(self.value)
        named = {f"{_ARRAY}{number}": array for number, array in enumerate(arrays)}
        return {"alpha": self.alpha, "count": self.count, **named}

    @classmethod
    def from_state_dict(cls, state: Any, like: Any) -> "RunningAverage":
        """Make the average again that `state_dict` came from.

        Args:
            state: what `state_dict` returned; the arrays may have gone to another library or device meanwhile.
            like: an operator of the structure that the average had, the curvature of any batch: it gives the
                structure, library and device, and none of its numbers.

        Raises:
            ValueError: the arrays are not those of such an operator.
        """
        empty, count = cls(float(state["alpha"])), int(state["count"])
        if not count:
            return empty
        first = empty.update(like).value
        assert first is not None
        wanted, found = len(_arrays_of(first)), sum(str(name).startswith(_ARRAY) for name in state)
        if found != wanted:
            raise ValueError(f"the state has {found} arrays, and {first!r} is made of {wanted}")
        stored = iter([state[f"{_ARRAY}{number}"] for number in range(found)])
        return replace(empty, count=count, value=first._map(lambda array: _fitting(next(stored), array)))


def _arrays_of(operator: Operator) -> list[Array]:
    """The arrays in the order in which `_map` goes through them."""
    arrays = []

    def note(array: Array) -> Array:
        arrays.append(array)
        return array

    operator._map(note)
    return arrays


def _fitting(stored: Array, array: Array) -> Array:
    """The stored array where `array` was, if it has its shape and dtype."""
    found = convert(stored, array)
    if found.shape != array.shape or found.dtype != array.dtype or not all_finite(found):
        raise ValueError(
            f"the state has a finite {found.dtype} array {tuple(found.shape)} where {array.dtype} {tuple(array.shape)} "
            "is needed"
        )
    return found
