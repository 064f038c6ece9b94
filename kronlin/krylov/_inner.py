"""The inner product of blocks, column by column."""

from kronlin.arrays import Array, kind, real_part


def inner(x: Array, y: Array) -> Array:
    """Re xᴴ y of the columns of two blocks (n, k), as (k,)."""
    own = kind(x)
    value = own.xp.vecdot(x, y, axis=-2)
    return real_part(value)
