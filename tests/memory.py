"""How much memory NumPy's arrays take at most while a function runs."""

import tracemalloc
from collections.abc import Callable
from typing import Any


def peak_of(function: Callable[[], Any]) -> tuple[Any, int]:
    """The result, and the bytes that were in use at most beyond those in use before; the result counts."""
    tracemalloc.start()
    try:
        result = function()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
