"""The inner product of blocks, column by column."""

from kronlin.arrays import Array, kind


def inner(x: Array, y: Array) -> Array:
    """Re xᴴ y of the columns of two blocks (n, k), as (k,)."""
    own = kind(x)
    value = own.xp.vecdot(x, y, axis=-2)
    return own.xp.real(value) if own.is_complex else value
