"""load: an operator from a file."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from kronlin.algebra import Operator, Properties
from kronlin.algebra.properties import properties
from kronlin.storage._archive import FileFormatError, read
from kronlin.storage._classes import allowed
from kronlin.storage._values import decode


def load(path: str | os.PathLike[str], *, to: Any = None, classes: Iterable[type] = ()) -> Operator:
    """Return the operator that `save` wrote.

    Every byte is checked against the SHA-256 in the file, every array against the header, and every operator against
    the shape that it had. Nothing in a file is ever run: it names classes of operators, and only those of kronlin and
    of `classes` are made.

    Args:
        path: the file.
        to: the name of an array library, or an array whose library and device are wanted, as in `A.to`; NumPy if None.
        classes: operators of your own that may stand in the file.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: the file is damaged, is not one of `save`, is of a newer version, or holds a class that is not
            allowed.

    >>> import tempfile, os, numpy as np, kronlin as kl
    >>> path = os.path.join(tempfile.mkdtemp(), "blocks")
    >>> kl.save(path, kl.assume(kl.BlockDiagonal([np.eye(2), np.eye(3)]), "pd"))
    >>> kl.load(path).inverse() @ np.ones(5)
    array([1., 1., 1., 1., 1.])
    """
    known = allowed(classes)
    header, arrays = read(path)
    try:
        operator = rebuild(header["operators"], arrays, known)[-1]
    except MemoryError:
        raise
    except Exception as error:
        raise FileFormatError(f"{path} cannot be loaded: {error}") from error
    return operator if to is None else operator.to(to)


def rebuild(records: list[dict[str, Any]], arrays: list[Any], known: dict[str, type[Operator]]) -> list[Operator]:
    """Make the operators in order, parts before wholes."""
    for array in arrays:
        if array.dtype.kind not in "fciub" or not np.all(np.isfinite(array)):
            raise ValueError("an array has an entry that is NaN, infinite, or no number")
    made: list[Operator] = []
    for record in records:
        if "adjoint of" in record:
            made.append(_at(made, record["adjoint of"]).H)
            continue
        name = record["class"]
        if name not in known:
            advice = "" if name.startswith("kronlin.") else "; if it is yours, pass the class: load(path, classes=[…])"
            raise ValueError(f"it holds a {name}, which this kronlin does not know{advice}")
        operator = _make(known[name], record, made, arrays)
        if "adjoint" in record:
            operator._pair("H", _at(made, record["adjoint"]))
        made.append(operator)
    return made


def _make(cls: type[Operator], record: dict[str, Any], made: list[Operator], arrays: list[Any]) -> Operator:
    """One operator from its record, with the shape and the promises that it had."""
    parts = []
    for part in record["parts"]:
        ((name, number),) = part.items()
        parts.append(_at({"operator": made, "array": arrays}[name], number))
    options = {name: decode(value, lambda number: _at(arrays, number)) for name, value in record["options"].items()}
    operator = cls._make(*parts, **options)
    if [list(operator.shape), list(operator.batch)] != [record["shape"], record["batch"]]:
        raise ValueError(f"{operator!r} was to have the shape {record['shape']} in stacks of {record['batch']}")
    promised = Properties(*record["promised"])
    if properties(*promised) != promised or not {True, False, None}.issuperset(promised):
        raise ValueError(f"{operator!r} was given the promises {promised}, which contradict each other")
    operator._promised = promised
    return operator


def _at(things: list[Any], number: int) -> Any:
    """One of the things that came before."""
    if not 0 <= number < len(things):
        raise ValueError(f"number {number} is not among the first {len(things)}")
    return things[number]
