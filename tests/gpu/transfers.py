"""Every way off and onto the second device of array-api-strict, counted: it stands in for a GPU on machines without one.

A number that is read (`float(x)`, `bool(x)`), a copy to the host, a result whose shape depends on the entries and an
array made from numbers of the host each stop the host on a GPU until the device has caught up. array-api-strict itself
refuses the conversions to NumPy, on that device.
"""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import array_api_strict
from array_api_strict._array_object import Array

READS = ("__array__", "__bool__", "__complex__", "__float__", "__index__", "__int__", "to_device")
SHAPED_BY_ENTRIES = ("nonzero", "repeat", "unique_all", "unique_counts", "unique_inverse", "unique_values")


class Transfers(list):
    """What was carried: the name of each conversion, with the line of kronlin that asked for it."""

    def note(self, name: str) -> None:
        """Add a conversion that happens now."""
        lines = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_stack() if "kronlin/" in frame.filename]
        self.tracebacks = getattr(self, "tracebacks", []) + ["".join(traceback.format_list(traceback.extract_stack()[-14:-2]))]; self.append(f"{name} at {lines[-1] if lines else 'the test'}")


@contextmanager
def counted() -> Iterator[Transfers]:
    """Within a `with` block, note what is carried between the host and the second device."""
    seen = Transfers()
    undo: list[tuple[Any, str, Callable]] = []

    def replace(owner: type | ModuleType, name: str, wrapped: Callable) -> None:
        undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, wrapped)

    for name in READS:
        replace(Array, name, _noting(seen, name, getattr(Array, name), lambda args: args[0]))
    replace(Array, "__getitem__", _noting(seen, "a mask", Array.__getitem__, _masked))
    for name in SHAPED_BY_ENTRIES:
        replace(array_api_strict, name, _noting(seen, name, getattr(array_api_strict, name), lambda args: args[0]))
    replace(array_api_strict, "asarray", _upload(seen, array_api_strict.asarray))
    try:
        yield seen
    finally:
        for owner, name, function in undo:
            setattr(owner, name, function)


def _noting(seen: Transfers, name: str, function: Callable, subject: Callable[[tuple], Any]) -> Callable:
    def wrapped(*args: Any, **options: Any) -> Any:
        array = subject(args)
        if isinstance(array, Array) and is_remote(array.device):
            seen.note(name)
        return function(*args, **options)

    return wrapped


def _masked(args: tuple) -> Any:
    """The array, where it is indexed by truth values."""
    keys = args[1] if isinstance(args[1], tuple) else (args[1],)
    masks = [key for key in keys if isinstance(key, Array) and key.dtype == array_api_strict.bool]
    return args[0] if masks else None


def _upload(seen: Transfers, function: Callable) -> Callable:
    def asarray(x: Any, *args: Any, device: Any = None, **options: Any) -> Array:
        if not isinstance(x, Array) and is_remote(device):
            seen.note("asarray")
        return function(x, *args, device=device, **options)

    return asarray


def is_remote(device: Any) -> bool:
    """Whether it is the device that stands in for a GPU."""
    return device == array_api_strict.Device("device1")
