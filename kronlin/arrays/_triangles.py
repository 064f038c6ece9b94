"""Hermitian NumPy matrices by their triangles, in square pieces that stay in the cache while they are transposed."""

from typing import Any

import numpy as np

_TILE = 256
"""Rows of a piece."""


def is_hermitian(a: Any, tolerance: float) -> bool:
    """Tell whether every matrix of a stack differs from its adjoint by at most `tolerance` times its largest entry."""
    size = None
    for rows, columns in _tiles(a.shape[-1]):
        tile, other = a[..., rows, columns], a[..., columns, rows].conj().swapaxes(-1, -2)
        if np.array_equal(tile, other):
            continue
        if size is None:
            size = np.max(np.abs(a), axis=(-2, -1))
        if not np.all(np.max(np.abs(tile - other), axis=(-2, -1)) <= tolerance * size):
            return False
    return True


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
