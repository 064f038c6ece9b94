"""The weights of a fine and a coarse term."""

from typing import Any

from kronlin.algebra import scalar


def checked_weights(weights: Any) -> tuple[float, float]:
    """Return two positive finite numbers, or say that they are not."""
    numbers = [scalar(weight) for weight in weights] if hasattr(weights, "__iter__") else []
    if len(numbers) != 2 or not all(isinstance(w, int | float) and 0 < w < float("inf") for w in numbers):
        raise ValueError(f"the weights of a fine and a coarse term are two positive numbers, not {weights!r}")
    w1, w2 = (float(number.real) for number in numbers if number is not None)
    return w1, w2
