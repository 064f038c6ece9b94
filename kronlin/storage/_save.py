"""save: an operator into a file."""

import os
from typing import Any

import numpy as np

from kronlin.algebra import Operator, rules
from kronlin.algebra.structure import Structure
from kronlin.arrays import Array, all_finite, convert, namespace
from kronlin.storage._archive import write
from kronlin.storage._classes import class_name
from kronlin.storage._values import encode


def save(path: str | os.PathLike[str], A: Any) -> None:
    """Write an operator to a file, from which `load` makes the same operator.

    Arrays and JSON only: an `.npz` file with a SHA-256 at its end. The whole structure is kept, with its promises, and
    what it holds twice is stored once. The file appears complete or not at all: if writing fails, what was at `path`
    is left alone. Arrays of every library are stored, by way of the host; factorisations are not.

    Args:
        path: where; the name is taken as it is, without a suffix of ours.
        A: an operator or array.

    Raises:
        TypeError: a part holds what is no array and no plain value, such as the callables of a `Function`.
        ValueError: an array has a NaN or an Inf.

    >>> import tempfile, os, numpy as np, kronlin as kl
    >>> path = os.path.join(tempfile.mkdtemp(), "curvature.npz")
    >>> kl.save(path, kl.Kronecker(np.diag([1.0, 2.0]), np.eye(3)).damped(0.1))
    >>> kl.load(path)
    Spectral(6×6, float64, pd: Kronecker(2×2 ⊗ 3×3))
    """
    writer = Writer()
    writer.operator(rules.wrap(A), ())
    write(path, {"operators": writer.records}, writer.arrays)


class Writer:
    """Numbers operators and arrays, parts before wholes; what has a number is not stored again."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.arrays: list[np.ndarray[Any, Any]] = []
        self._operators: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    def operator(self, a: Operator, wholes: tuple[Operator, ...]) -> int:
        """Return the number of an operator; `wholes` are those that it is a part of."""
        if id(a) not in self._operators:
            record = self._record(a, wholes)
            self._operators[id(a)] = len(self.records)
            self.records.append(record)
        return self._operators[id(a)]

    def _record(self, a: Operator, wholes: tuple[Operator, ...]) -> dict[str, Any]:
        twin = a._kept("H")
        if twin is not a and id(twin) in self._operators and _is_made_by(twin, a):
            return {"adjoint of": self._operators[id(twin)]}
        parts = [
            {"operator": self.operator(part, (*wholes, a))}
            if isinstance(part, Operator)
            else {"array": self._array(part, a)}
            for part in a.parts
        ]
        record = {
            "class": class_name(type(a)),
            "parts": parts,
            "options": {name: self._option(a, name, wholes) for name in a.options},
            "promised": list(a._promised),
            "shape": list(a.shape),
            "batch": list(a.batch),
        }
        partner = self._operators.get(id(twin)) if twin is not a else None
        return record if partner is None else {**record, "adjoint": partner}

    def _option(self, a: Operator, name: str, wholes: tuple[Operator, ...]) -> Any:
        try:
            return encode(a.options[name], lambda array: self._array(array, a))
        except TypeError as error:
            where = "".join(f", which is a part of {whole!r}" for whole in reversed(wholes))
            raise TypeError(
                f"cannot save {a!r}{where}: its {name} is a {error}, and a file holds arrays and plain values only"
            ) from None

    def _array(self, array: Array, owner: Structure) -> int:
        if id(array) not in self._numbers:
            if namespace(array).isdtype(array.dtype, ("real floating", "complex floating")) and not all_finite(array):
                raise ValueError(f"cannot save {owner!r}: it has an entry that is NaN or infinite")
            self._numbers[id(array)] = len(self.arrays)
            self.arrays.append(convert(array, "numpy"))
        return self._numbers[id(array)]


def _is_made_by(twin: Operator, a: Operator) -> bool:
    """Whether `twin.H` of a loaded twin will be A in all that counts, so that only the twin need be stored."""
    if twin.properties.self_adjoint:
        return False
    again = twin._heir(rules.adjoint(twin))
    return type(again) is type(a) and again._promised == a._promised
