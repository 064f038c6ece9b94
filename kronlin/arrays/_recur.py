"""What recurrences do to their vectors at each step, in place on NumPy arrays and a cache's worth at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from kronlin.arrays.library import Array

_WORTH = 2**16
"""Entries taken at a time: few enough to stay in a cache, many enough to outweigh the call."""


def inner_products(x: Array, y: Array) -> Array:
    """xᴴ y of the columns, (k,); NumPy's own has no fast loop where columns are interleaved."""
    if x.ndim != 2 or x.shape[1] == 1 or _by_columns(x, y):
        return np.vecdot(x, y, axis=-2)
    parts = [np.einsum("ij,ij->j", x[place].conj(), y[place]) for place in _rows(x)]
    return np.sum(parts, axis=0) if parts else np.vecdot(x, y, axis=-2)


def advance(y: Array, a: Array, x: Array, chosen: Array) -> Array:
    """Y + X diag(a) in the chosen columns, written over Y."""
    scratch = np.empty(_WORTH, y.dtype)
    for place, factor, rests in _pieces(y, a, chosen, x):
        target = y[place]
        step = scratch[: target.size].reshape(target.shape, order="F" if _by_columns(target) else "C")
        np.multiply(x[place], factor, out=step)
        if rests is not None:  # not a sum with zero times X, which may hold a NaN there
            np.copyto(step, 0, where=rests)
        np.add(target, step, out=target)
    return y


def turn(p: Array, b: Array, y: Array, chosen: Array) -> Array:
    """Y + P diag(b) in the chosen columns and zero in the others, written over P."""
    for place, factor, rests in _pieces(p, b, chosen, y):
        target = p[place]
        np.multiply(target, factor, out=target)
        np.add(target, y[place], out=target)
        if rests is not None:
            np.copyto(target, 0, where=rests)
    return p


def _by_columns(*blocks: Array) -> bool:
    """Whether the entries of a column follow one another in all blocks (n, k)."""
    return all(block.strides[0] == block.itemsize for block in blocks)


def _rows(x: Array) -> Iterator[slice]:
    """Cut the rows of a block."""
    step = max(1, _WORTH // max(1, x.shape[1]))
    return (slice(start, start + step) for start in range(0, x.shape[0], step))


def _pieces(y: Array, a: Array, chosen: Array, x: Array) -> Iterator[tuple[Any, Array, Array | None]]:
    """Places of a block, with the factors of their columns and which of these rest (None: none does)."""
    rests = None if chosen.all() else ~chosen
    if _by_columns(y, x):
        for j in range(y.shape[1]):
            for start in range(0, y.shape[0], _WORTH):
                yield (slice(start, start + _WORTH), slice(j, j + 1)), a[j], rests if rests is None else rests[j]
        return
    whole = np.empty((0, 0))
    for place in _rows(y):
        rows = min(place.stop, y.shape[0]) - place.start
        if len(whole) != rows:  # one loop over all entries, where a factor a column would be one a row
            whole = np.repeat(a[None, :], rows, axis=0)
        yield place, whole, rests
