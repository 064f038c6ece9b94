"""The list of array libraries, and which one an array belongs to."""

from typing import Any

import array_api_compat

from kronlin.arrays.library import Array, Library
from kronlin.arrays.on_cupy import CuPy
from kronlin.arrays.on_jax import Jax
from kronlin.arrays.on_numpy import NumPy
from kronlin.arrays.on_strict import Strict
from kronlin.arrays.on_torch import Torch

LIBRARIES: dict[str, Library] = {library.name: library for library in (NumPy(), CuPy(), Torch(), Jax(), Strict())}
_NAMES = {
    "array_api_compat.cupy": "cupy",
    "array_api_compat.torch": "torch",
    "jax.numpy": "jax",
    "array_api_strict": "array_api_strict",
}
_BY_TYPE: dict[type, tuple[Any, Library]] = {}


def library_named(name: str) -> Library:
    """Return the library called `name`; an unknown name lists the known ones."""
    if name not in LIBRARIES:
        raise ValueError(f"unknown array library {name!r}: the known ones are {', '.join(LIBRARIES)}")
    return LIBRARIES[name]


def find_libraries() -> list[str]:
    """Name the array libraries that can be imported here (this imports them)."""
    found = []
    for name, library in LIBRARIES.items():
        try:
            library.namespace()
        except ImportError:
            continue
        found.append(name)
    return found


def lookup(x: Array) -> tuple[Any, Library]:
    """Return the array API namespace and the library of `x`, remembered by type."""
    known = _BY_TYPE.get(type(x))
    if known is None:
        library = LIBRARIES[_library_of(x)]
        known = _BY_TYPE[type(x)] = (library.namespace(), library)
    return known


def _library_of(x: Array) -> str:
    """The name of the library of `x`; array-api-compat knows which type belongs to which."""
    if array_api_compat.is_numpy_array(x):  # not by its namespace, whose import takes as long as that of kronlin
        return "numpy"
    try:
        return _NAMES[array_api_compat.array_namespace(x).__name__]
    except TypeError:
        raise TypeError(
            f"expected an array (NumPy, CuPy, PyTorch, JAX), not {type(x).__name__}: "
            "convert it first, for example with numpy.asarray"
        ) from None
