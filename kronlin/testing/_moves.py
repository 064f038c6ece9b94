"""The laws of moving: A in another precision, and in another array library."""

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import LIBRARIES, library_named
from kronlin.testing._case import BrokenLaw, Case
from kronlin.testing._derived import essentials
from kronlin.testing._inverses import solution
from kronlin.testing._products import compare

_OTHER_PRECISION = {"float64": "float32", "float32": "float64", "complex128": "complex64", "complex64": "complex128"}


def precisions(case: Case) -> None:
    """A.astype(dtype) is A in that dtype, and back again; a real A can be made complex."""
    if not can_move(case.op):
        return
    own = case.kind.dtype_name
    other = moved(case, f"astype({_OTHER_PRECISION[own]!r})", lambda: case.op.astype(_OTHER_PRECISION[own]))
    case.expect_dtype(other, _OTHER_PRECISION[own])
    _products(other)
    back = moved(other, f"astype({own!r})", lambda: other.op.astype(own))
    case.expect_dtype(back, own)
    _products(back)
    if not case.kind.is_complex:
        name = case.kind.complex.dtype_name
        complexified = moved(case, f"astype({name!r})", lambda: case.op.astype(name))
        case.expect_dtype(complexified, name)
        essentials(complexified)


def libraries(case: Case, names: Iterable[str] | None = None) -> None:
    """A.to(name) is A in that array library, and back again."""
    if not can_move(case.op):
        return
    for name in reachable(case) if names is None else names:
        there = moved(case, f"to({name!r})", lambda name=name: case.op.to(name))  # type: ignore[misc]
        found = there.kind.library.name
        case.expect(found == name, f"{there.name} is in {found}")
        if name == "jax":  # it compiles for every new shape
            _products(there)
        else:
            essentials(there)
            if case.inverse is not None and case.has_adjoint:
                solution(there, case.op.shape[0], 2)
        back = moved(there, "to(numpy array)", lambda there=there: there.op.to(case.kind.zeros(0)))  # type: ignore[misc]
        case.expect_kind(back.name, back.kind, case.kind)
        _products(back)


def can_move(op: Operator) -> bool:
    """Whether A is made of arrays: a function of the user's cannot be carried to another precision or library."""
    return not any(callable(value) for part in everything(op) for value in part.options.values())


def reachable(case: Case) -> list[str]:
    """The other libraries that Python has imported already, and array-api-strict if installed, that can hold A."""
    names = [name for name in LIBRARIES if name in sys.modules and name != case.kind.library.name]
    strict = "array_api_strict"
    if strict not in names and case.kind.library.name != strict and find_spec(strict):
        names.append(strict)
    homes = [part._homes for part in everything(case.op) if part._homes]
    return [name for name in names if all(name in each for each in homes) and _takes(name, case.kind.dtype_name)]


def _takes(library: str, dtype: str) -> bool:
    """Whether a library can hold such entries here: CuPy may lack its device, JAX may have double precision off."""
    try:
        library_named(library).from_numpy(np.zeros(1, dtype=dtype))
    except Exception:
        return False
    return True


def moved(case: Case, how: str, move: Callable[[], Any]) -> Case:
    """The case of the moved operator, or a broken law with advice for who wrote the class."""
    try:
        op = move()
    except Exception as error:
        raise BrokenLaw(
            f"{case.name}.{how} fails with {type(error).__name__}: {error}\n  An operator is rebuilt from what it "
            "handed to _define: all its arrays and operators, in the order in which __init__ (or _setup) takes them, "
            "and its other arguments by name"
        ) from error
    case.expect(isinstance(op, Operator), f"{case.name}.{how} is a {type(op).__name__}, not an operator")
    case.expect(op.shape == case.op.shape, f"{case.name}.{how} has shape {op.shape}, where {case.op.shape} is due")
    twin = Case(op, case.dense, None, name=f"{case.name}.{how}", size=case.size)
    twin.rtol = max(twin.rtol, case.rtol)
    return twin


def _products(case: Case) -> None:
    compare(case, "{} @ X", lambda x: case.op @ x, case.dense, case.numbers(case.op.shape[1], 2))
    if case.has_adjoint:
        turned = case.dense.conj().T
        compare(case, "{}.H @ Y", lambda y: case.op.H @ y, turned, case.numbers(case.op.shape[0], 2))


def everything(op: Operator) -> Iterator[Operator]:
    """An operator and all operators that it is made of."""
    yield op
    for part in op.parts:
        if isinstance(part, Operator):
            yield from everything(part)
