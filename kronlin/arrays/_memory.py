"""memory_limit: how many bytes the temporary arrays of one step may take, and how an axis is cut to keep to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kronlin.arrays._kind import Kind
from kronlin.arrays._libraries import lookup
from kronlin.arrays.library import Array

_LIMIT: ContextVar[float] = ContextVar("memory_limit", default=2**28)


@contextmanager
def memory_limit(limit: float) -> Iterator[None]:
    """Within a `with` block, keep the temporary arrays of one step under so many bytes; 256 MiB elsewhere.

    Sums over examples, columns and positions are cut into pieces, so that what is formed on the way stays small:
    products with the roots of Fisher blocks, their Gram matrices and norms, the factors of K-FAC and its relatives,
    diagonals, norms and Gram matrices that are taken a few columns at a time. Results are the same to rounding.

    - Not counted: the arrays that go in, with a byte an entry for the check that all are finite; the result, twice
      where pieces are added or joined; what an operator keeps, such as a Gram matrix or the squares of its arrays.
    - One example, one column or one entry is not cut further: where it alone takes more, it is computed all the same,
      a piece at a time.
    - `to_dense`, and factorisations up to the size at which kronlin refuses them, form what they say.

    A smaller limit costs time only where pieces become too small to keep a processor busy. The limit holds for the
    thread or task that sets it; a new thread starts with 256 MiB, or with that of its maker from Python 3.14 on where
    the interpreter is built so.

    Args:
        limit: bytes, at least 1.

    Raises:
        ValueError: `limit` is below 1.

    >>> import numpy as np, kronlin as kl
    >>> U = kl.FisherRoot(np.ones((1000, 3)), np.ones((1000, 2)))
    >>> with kl.memory_limit(16e3):
    ...     U @ np.ones(1000)
    array([1000., 1000., 1000., 1000., 1000., 1000.])
    """
    if not limit >= 1:
        raise ValueError(f"memory_limit takes a number of bytes, at least 1, not {limit!r}: for example 2**28")
    token = _LIMIT.set(limit)
    try:
        yield
    finally:
        _LIMIT.reset(token)


_WIDEST = 16
"""Bytes of a complex128 entry."""


def pieces(length: int, entries: int, kind: Kind) -> list[slice]:
    """Cut an axis so that `entries` numbers for each of its places stay under the memory limit.

    >>> import numpy as np
    >>> from kronlin.arrays import kind
    >>> with memory_limit(800):
    ...     pieces(5, 50, kind(np.ones(1)))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    limit = _LIMIT.get()
    if length * entries * _WIDEST <= limit:  # without a look at the dtype, which takes longer than a small product
        return [slice(0, length)]
    step = max(1, int(limit // (max(1, entries) * kind.itemsize)))
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]


def join(parts: list[Array], axis: int) -> Array:
    """Put pieces together again; one alone is not copied."""
    return parts[0] if len(parts) == 1 else lookup(parts[0])[0].concat(parts, axis=axis)
