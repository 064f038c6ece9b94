"""The plain values of an operator, as JSON that gives back the same values."""

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np

from kronlin.arrays import Array, is_array


def encode(value: Any, store: Callable[[Array], int]) -> Any:
    """Return what JSON can hold; arrays are handed to `store`, which numbers them.

    Raises:
        TypeError: the value is neither plain nor an array; the message is its type.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if isfinite(value) else {"float": value.hex()}
    if type(value) is complex:
        return {"complex": [encode(value.real, store), encode(value.imag, store)]}
    if type(value) in (tuple, list):
        return {type(value).__name__: [encode(each, store) for each in value]}
    if is_array(value):
        return {"array": store(value)}
    raise TypeError(type(value).__name__)


def decode(value: Any, fetch: Callable[[int], Array]) -> Any:
    """Undo `encode`; `fetch` returns the array of a number.

    Raises:
        ValueError: this is nothing that `encode` returns.
    """
    if not isinstance(value, dict):
        return value
    ((name, inner),) = value.items()
    if name == "float":
        return float.fromhex(inner)
    if name == "complex":
        return complex(*(decode(each, fetch) for each in inner))
    if name in ("tuple", "list"):
        return (tuple if name == "tuple" else list)(decode(each, fetch) for each in inner)
    if name == "array":
        return fetch(inner)
    raise ValueError(f"there are no values of type {name!r}")
