"""LAPACK on stacks of NumPy matrices, in their own precision and without Python's lock: threads work side by side.

The routines are the pointers of `scipy.linalg.cython_lapack`. Where one is missing, or does not count in C ints, the
functions return None, and NumPy's own take their place.
"""

import ctypes
from collections.abc import Callable
from ctypes import addressof, c_int, c_void_p
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from kronlin.arrays._team import WORTH_A_THREAD, concurrently

_LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
_TILE = 256
"""Rows of a square piece that stays in the cache while it is transposed."""


def eigh(a: Any) -> tuple[Any, Any] | None:
    """Return w ascending and Q with (A + Aᴴ)/2 = Q diag(w) Qᴴ, by divide and conquer."""
    n, letter = a.shape[-1], _LETTERS[a.dtype.name]
    wide = letter in "cz"
    routine = found(f"{letter}heevd", 13) if wide else found(f"{letter}syevd", 11)
    if routine is None or 0 in a.shape:
        return None
    q = triangle(a)
    w = np.empty(a.shape[:-1], a.real.dtype)

    def decompose(start: int, stop: int) -> None:
        order, info = c_int(n), c_int()
        works = [np.empty(2 * n + n * n, a.dtype)] if wide else []
        works += [np.empty(1 + 6 * n + 2 * n * n, w.dtype), np.empty(3 + 5 * n, np.intc)]
        sizes = [c_int(work.size) for work in works]
        space = [part for work, size in zip(works, sizes, strict=True) for part in (work.ctypes.data, addressof(size))]
        for i in range(start, stop):
            place, values = q.ctypes.data + i * n * n * q.itemsize, w.ctypes.data + i * n * w.itemsize
            routine(b"V", b"L", addressof(order), place, addressof(order), values, *space, addressof(info))
            if info.value:
                raise np.linalg.LinAlgError("Eigenvalues did not converge")

    _in_pieces(decompose, a.size // (n * n), 9 * n**3)
    return w, q.swapaxes(-1, -2)


def cholesky(a: Any) -> Any:
    """Return the lower triangular L with (A + Aᴴ)/2 = L Lᴴ."""
    routine = found(f"{_LETTERS[a.dtype.name]}potrf", 5)
    if routine is None or 0 in a.shape:
        return None
    turned = triangle(a)
    _triangles(routine, turned, "Matrix is not positive definite")
    return turned.swapaxes(-1, -2)


def inverse_cholesky(lower: Any) -> Any:
    """Return (L Lᴴ)⁻¹ as a full matrix."""
    routine = found(f"{_LETTERS[lower.dtype.name]}potri", 5)
    if routine is None or 0 in lower.shape:
        return None
    turned = np.array(lower.swapaxes(-1, -2), order="C")
    _triangles(routine, turned, "Singular matrix")
    mirror(turned)
    return turned.swapaxes(-1, -2)


def _triangles(routine: Callable[..., None], turned: Any, failure: str) -> None:
    """Call a routine that overwrites the lower triangle of each matrix, held column by column."""
    n = turned.shape[-1]

    def call(start: int, stop: int) -> None:
        order, info = c_int(n), c_int()
        for i in range(start, stop):
            place = turned.ctypes.data + i * n * n * turned.itemsize
            routine(b"L", addressof(order), place, addressof(order), addressof(info))
            if info.value:
                raise np.linalg.LinAlgError(failure)

    _in_pieces(call, turned.size // (n * n), n**3 / 3)


def _in_pieces(function: Callable[[int, int], None], number: int, cost: float) -> None:
    """Call function(start, stop) over the members of a stack, of which each costs so much; large ones side by side."""
    step = max(1, int(WORTH_A_THREAD / cost))
    starts = range(0, number, step)
    ends = [min(start + step, number) for start in starts]
    concurrently(
        [partial(function, start, end) for start, end in zip(starts, ends, strict=True)],
        [(end - start) * cost for start, end in zip(starts, ends, strict=True)],
    )


def triangle(a: Any) -> Any:
    """Return the lower triangle of (A + Aᴴ)/2 column by column, as LAPACK reads it, in a new array; zeros above."""
    turned = np.zeros(a.shape, a.dtype)
    for rows, columns in _tiles(a.shape[-1]):
        tile = turned[..., columns, rows]
        np.add(a[..., rows, columns].swapaxes(-1, -2), a[..., columns, rows].conj(), out=tile)
        tile *= 0.5
        if rows == columns:
            tile[...] = np.triu(tile)
    return turned


def mirror(turned: Any) -> None:
    """Complete a Hermitian matrix of which the lower triangle is known, column by column."""
    for rows, columns in _tiles(turned.shape[-1]):
        tile = turned[..., columns, rows]
        if rows == columns:
            tile += np.triu(tile, 1).conj().swapaxes(-1, -2)
        else:
            turned[..., rows, columns] = tile.conj().swapaxes(-1, -2)


def _tiles(n: int) -> list[tuple[slice, slice]]:
    """Rows and columns of the squares of a lower triangle."""
    cuts = [slice(start, min(start + _TILE, n)) for start in range(0, n, _TILE)]
    return [(rows, columns) for i, rows in enumerate(cuts) for columns in cuts[: i + 1]]


@cache
def found(name: str, arguments: int) -> Any:
    """The LAPACK routine of that name as a function of pointers; None where SciPy does not offer it with C ints."""
    try:
        capsule = import_module("scipy.linalg.cython_lapack").__pyx_capi__[name]
        named, pointed = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    except (ImportError, AttributeError, KeyError):
        return None
    named.restype, named.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointed.restype, pointed.argtypes = c_void_p, [ctypes.py_object, ctypes.c_char_p]
    signature = named(capsule)
    if signature.count(b"*") != arguments or b" int *" not in signature:
        return None
    return ctypes.CFUNCTYPE(None, *[c_void_p] * arguments)(pointed(capsule, signature))
