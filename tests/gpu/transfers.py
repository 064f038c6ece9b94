"""Every way between the host and a device, counted: on a GPU, and on what stands in for one.

A number that is read (`float(x)`, `bool(x)`), a copy to the host, a result whose shape depends on the entries and an
array made from numbers of the host each stop the host on a GPU until the device has caught up. The stand-in is the
second device of array-api-strict, which itself refuses conversions to NumPy.
"""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import array_api_strict
from array_api_strict._array_object import Array as Strict

READS = ("__array__", "__bool__", "__complex__", "__float__", "__index__", "__int__", "get", "item", "to_device")
SHAPED_BY_ENTRIES = ("nonzero", "repeat", "unique_all", "unique_counts", "unique_inverse", "unique_values")


class Transfers(list):
    """What was carried: the name of each conversion, with the line of kronlin that asked for it."""

    def note(self, name: str) -> None:
        """Add a conversion that happens now."""
        frames = [frame for frame in traceback.extract_stack() if "/kronlin/" in frame.filename]
        self.append(f"{name} at {frames[-1].filename}:{frames[-1].lineno}" if frames else f"{name} by the test")


@contextmanager
def counted() -> Iterator[Transfers]:
    """Within a `with` block, note what is carried between the host and a device."""
    seen, undo = Transfers(), []

    def replace(owner: type | ModuleType, name: str, make: Callable[..., Callable], *how: Any) -> None:
        undo.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, make(seen, name, getattr(owner, name), *how))

    for array, xp in _homes():
        for name in READS:
            if hasattr(array, name):
                replace(array, name, _noting, lambda args: args[0])
        replace(array, "__getitem__", _noting, _masked)
        for name in SHAPED_BY_ENTRIES:
            if hasattr(xp, name):
                replace(xp, name, _noting, lambda args: args[0])
        replace(xp, "asarray", _upload)
    try:
        yield seen
    finally:
        for owner, name, before in reversed(undo):
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


def _homes() -> Iterator[tuple[type, ModuleType]]:
    """The types of arrays that may live on a device, each with its namespace."""
    yield Strict, array_api_strict
    if "cupy" in sys.modules:
        yield sys.modules["cupy"].ndarray, import_module("array_api_compat.cupy")


def _is_remote(x: Any) -> bool:
    """Whether it is an array on a device, or a device that is not the host."""
    if isinstance(x, Strict | array_api_strict.Device):
        return "CPU" not in str(getattr(x, "device", x))
    return "cupy" in sys.modules and isinstance(x, sys.modules["cupy"].ndarray | sys.modules["cupy"].cuda.Device)


def _noting(seen: Transfers, name: str, function: Callable, subject: Callable[[tuple], Any]) -> Callable:
    def wrapped(*args: Any, **options: Any) -> Any:
        if _is_remote(subject(args)):
            seen.note("a mask" if name == "__getitem__" else name)
        return function(*args, **options)

    return wrapped


def _masked(args: tuple) -> Any:
    """The array, where it is indexed by truth values."""
    keys = args[1] if isinstance(args[1], tuple) else (args[1],)
    return args[0] if any("bool" in str(getattr(key, "dtype", "")) for key in keys) else None


def _upload(seen: Transfers, name: str, function: Callable) -> Callable:
    def asarray(x: Any, *args: Any, device: Any = None, **options: Any) -> Any:
        if not _is_remote(x) and (_is_remote(device) or function.__module__.startswith("array_api_compat.cupy")):
            seen.note(name)
        return function(x, *args, device=device, **options)

    return asarray
