"""The array libraries on which the tests run."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import array_api_compat
import array_api_strict
import numpy as np

from kronlin.arrays import library_named


@dataclass(frozen=True)
class ArrayLibrary:
    """One array library on one device, with the way in from NumPy and the way out."""

    name: str
    module: str
    device: Any = None
    read_only: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def xp(self) -> Any:
        """Its namespace, by array-api-compat where the library needs that; JAX is told to keep float64."""
        if self.name == "jax":
            import_module("jax").config.update("jax_enable_x64", True)
        return import_module(self.module)

    def asarray(self, x: Any, dtype: str | None = None) -> Any:
        """Copy `x` (an array of NumPy, a number or a nested list) to this library and device.

        `dtype` is a name, "float32" say; without it a float64 array stays one.
        """
        copy = np.array(x, dtype=dtype)
        if self.read_only:
            copy.setflags(write=False)
            return copy
        return self.xp.asarray(copy, device=self.device)

    def numpy(self, x: Any) -> np.ndarray:
        """Copy an array of this library to NumPy, from whatever device it is on."""
        if array_api_compat.is_torch_array(x):
            return x.detach().cpu().resolve_conj().numpy().copy()
        if array_api_compat.is_cupy_array(x):
            return x.get()
        if array_api_compat.is_array_api_strict_namespace(array_api_compat.array_namespace(x)):
            x = array_api_compat.to_device(x, array_api_strict.Device("CPU_DEVICE"))
        return np.array(x)

    def owns(self, x: Any) -> bool:
        """Whether `x` is an array of this library on this device."""
        device = array_api_compat.device(self.asarray(0.0))
        plain = array_api_compat.is_numpy_array(x)  # NumPy needs no wrapper
        home = array_api_compat.array_namespace(x, use_compat=False if plain else None)
        return home is self.xp and array_api_compat.device(x) == device


NUMPY = ArrayLibrary("numpy", "numpy")
READ_ONLY = ArrayLibrary("numpy-read-only", "numpy", read_only=True)
STRICT = ArrayLibrary("strict", "array_api_strict", array_api_strict.Device("CPU_DEVICE"))
STRICT_DEVICE = ArrayLibrary("strict-device1", "array_api_strict", array_api_strict.Device("device1"))
TORCH = ArrayLibrary("torch", "array_api_compat.torch")
JAX = ArrayLibrary("jax", "jax.numpy")
CUPY = ArrayLibrary("cupy", "array_api_compat.cupy")


@cache
def missing_gpu(name: str = "cupy") -> str:
    """Why a library cannot compute on a GPU here; empty if it can."""
    try:
        return "" if library_named(name).devices() else f"{name} finds no CUDA device"
    except ImportError as error:
        return str(error)


def fast() -> list[ArrayLibrary]:
    """The libraries on which Hypothesis may roam: nothing is compiled for each shape there."""
    return [NUMPY, READ_ONLY, STRICT, STRICT_DEVICE]


def installed() -> list[ArrayLibrary]:
    """Every library that is installed here."""
    return fast() + [library for library in (TORCH, JAX, CUPY) if find_spec(library.name)]


def eager() -> list[ArrayLibrary]:
    """Every library that is installed here, but for those that compile for each shape."""
    return [library for library in installed() if library is not JAX]
