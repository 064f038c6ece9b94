"""pack: operators and plain values as one flat dictionary of NumPy arrays, and back."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import is_array, to_numpy
from kronlin.storage._archive import FileFormatError
from kronlin.storage._classes import allowed
from kronlin.storage._load import rebuild
from kronlin.storage._save import Writer
from kronlin.storage._values import decode, encode

FORMAT, VERSION = "kronlin state", 1
_HEADER = "structure"


def pack(operators: Mapping[str, Operator], values: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Return arrays "0", "1", … and "structure", JSON as bytes that says what they are the arrays of.

    Nothing is pickled, `numpy.savez` writes it, and what operators share is stored once.

    Args:
        operators: operators by name.
        values: numbers, strings, lists and tuples of these, and arrays, by name.

    Raises:
        TypeError: a part is no array and no plain value.
        ValueError: an array has a NaN or an Inf.

    >>> import kronlin as kl
    >>> state = pack({"A": kl.Diagonal(np.array([1.0, 2.0]))}, {"step": 3})
    >>> list(state)
    ['structure', '0']
    >>> unpack(state)
    ({'A': Diagonal(2×2, float64, pd)}, {'step': 3})
    """
    writer = Writer()
    numbers = {name: writer.operator(operator, ()) for name, operator in operators.items()}

    def store(array: Any) -> int:
        writer.arrays.append(to_numpy(array))
        return len(writer.arrays) - 1

    plain = {name: encode(value, store) for name, value in values.items()}
    header = {"format": FORMAT, "version": VERSION, "names": numbers, "operators": writer.records, "values": plain}
    text = np.frombuffer(json.dumps(header, allow_nan=False).encode(), dtype=np.uint8)
    return {_HEADER: text.copy(), **{str(number): array for number, array in enumerate(writer.arrays)}}


def unpack(state: Mapping[str, Any]) -> tuple[dict[str, Operator], dict[str, Any]]:
    """Return the operators and the values that `pack` took, on NumPy arrays.

    Raises:
        FileFormatError: the state is not one of `pack`, is of a newer version, or lacks an array.
    """
    if _HEADER not in state:
        raise FileFormatError(f"there is no {_HEADER!r} in this state: it was not made by kronlin")
    try:
        header = json.loads(bytes(_on_host(state[_HEADER]).tolist()))
        if header["format"] != FORMAT or header["version"] > VERSION:
            raise ValueError(f"it is version {header['version']} of {header['format']!r}, not {VERSION} of {FORMAT!r}")
        arrays = [_on_host(state[str(number)]) for number in range(len(state) - 1)]
        made = rebuild(header["operators"], arrays, allowed(()))
        values = {name: decode(value, lambda number: arrays[number]) for name, value in header["values"].items()}
        return {name: made[number] for name, number in header["names"].items()}, values
    except MemoryError:
        raise
    except Exception as error:
        raise FileFormatError(f"this state cannot be loaded: {error}") from error


def _on_host(array: Any) -> np.ndarray[Any, Any]:
    """An array of any library as one of NumPy."""
    host: np.ndarray[Any, Any] = to_numpy(array) if is_array(array) else np.asarray(array)
    return host
