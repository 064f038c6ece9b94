"""An array that behaves as CuPy's where kronlin could go wrong, with its entries in a NumPy array.

It refuses what CuPy refuses (NumPy arrays as operands, conversion to NumPy without being asked, hashing of its device),
knows no scalars but arrays without axes, and notes whatever would make the host wait.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

WAITS: list[str] = []
"""What made the host wait for the device, or brought numbers there, in order."""

TAPES: list[list] = []
"""The open captures of a stream: the functions that were called, with their arguments and results."""


class Device:
    """The one device; like CuPy's it can be compared but not hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, number: Any = None) -> None:
        self.id = number.id if isinstance(number, Device) else number or 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.id == self.id

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __str__(self) -> str:
        return f"<CUDA Device {self.id}>"

    def synchronize(self) -> None:
        """Let the host wait."""
        wait("synchronize")

    @property
    def mem_info(self) -> tuple[int, int]:
        """Free and total bytes."""
        return 2**33, 2**34


def wait(what: str) -> None:
    """Note that the host waits; within a capture that is an error, as with CUDA."""
    WAITS.append(what)
    if TAPES:
        raise RuntimeError(f"cudaErrorStreamCaptureUnsupported: {what}")


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """cupy.ndarray, as far as kronlin and its benchmark use it."""

    __module__ = "cupy"
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, host: Any) -> None:
        self.host = host if isinstance(host, np.ndarray) else np.asarray(host)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return on_device(getattr(ufunc, method))(*inputs, **options)

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def get(self) -> np.ndarray:
        """A copy on the host."""
        wait("get")
        return self.host.copy()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.host, name)
        if name in ("item", "tolist"):
            wait(name)
            return found
        if callable(found):
            return lambda *args, **options: on_device(getattr(np.ndarray, name))(self, *args, **options)
        return ndarray(found) if isinstance(found, np.ndarray) else found

    def __getitem__(self, key: Any) -> "ndarray":
        keys = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, ndarray) and part.dtype == bool for part in keys):
            wait("a mask")
        return on_device(np.ndarray.__getitem__)(self, key)

    def __len__(self) -> int:
        return len(self.host)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    @property
    def device(self) -> Device:
        """Where it lives."""
        return Device(0)


def _reader(name: str) -> Callable[[ndarray], Any]:
    def read(self: ndarray) -> Any:
        wait(name)
        return getattr(self.host, name)()

    return read


for _name in ("__bool__", "__complex__", "__float__", "__index__", "__int__"):
    setattr(ndarray, _name, _reader(_name))


def on_device(function: Callable) -> Callable:
    """A function of NumPy that takes and returns the arrays of the device, and refuses those of NumPy."""

    def call(*args: Any, **options: Any) -> Any:
        given, named = _bare(args), _bare(options)
        result = function(*given, **named)
        if TAPES:
            TAPES[-1].append((function, given, named, result))
        return _dressed(result)

    return call


def _bare(x: Any) -> Any:
    if isinstance(x, ndarray):
        return x.host
    if isinstance(x, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(x, tuple | list):
        return type(x)(map(_bare, x))
    return {key: _bare(value) for key, value in x.items()} if isinstance(x, dict) else x


def _dressed(x: Any) -> Any:
    if isinstance(x, np.ndarray | np.generic) and not isinstance(x, np.void):
        return ndarray(x)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(_dressed, x))
    return type(x)(map(_dressed, x)) if isinstance(x, tuple | list) else x


def replay(tape: list) -> None:
    """Do again what was captured, into the same memory."""
    for function, args, options, result in tape:
        again = function(*args, **options)
        for old, new in zip(_flat(result), _flat(again), strict=True):
            if isinstance(old, np.ndarray) and not np.may_share_memory(old, new):
                old[...] = new


def _flat(x: Any) -> list:
    return [leaf for part in x for leaf in _flat(part)] if isinstance(x, tuple | list) else [x]
