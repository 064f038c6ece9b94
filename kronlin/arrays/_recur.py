"""What recurrences do to their vectors at each step, in place on NumPy arrays and a cache's worth at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from kronlin.arrays.library import Array

_WORTH = 2**16
"""Entries taken at a time: few enough to stay in a cache, many enough to outweigh the call."""

_SIDE = 2**8
"""The square root of that."""


def are_interleaved(x: Array, y: Array) -> bool:
    """Whether these are blocks (n, k) of several columns, of which not all lie in one piece."""
    return x.ndim == 2 and x.shape[1] > 1 and not _by_columns(x, y)


def inner_products(x: Array, y: Array) -> Array:
    """xᴴ y of interleaved columns, (k,), for which NumPy has no fast loop."""
    beside = max(1, _SIDE // x.shape[1])  # rows whose sums are kept apart: a longer loop, and fewer roundings a sum
    body = x.shape[0] - x.shape[0] % beside
    total = np.einsum("ij,ij->j", x[body:].conj(), y[body:])
    for start in range(0, body, beside * _SIDE):
        place = slice(start, min(start + beside * _SIDE, body))
        pair = [np.ascontiguousarray(block[place]).reshape(-1, beside * x.shape[1]) for block in (x, y)]
        sums = np.einsum("ij,ij->j", pair[0].conj(), pair[1])
        total += np.sum(sums.reshape(beside, -1), axis=0)
    return total


def advance(y: Array, a: Array, x: Array, chosen: Array) -> Array:
    """Y + X diag(a) in the chosen columns, written over Y."""
    scratch = np.empty(max(_WORTH, y.shape[1]), y.dtype)
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
