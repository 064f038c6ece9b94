"""The inner product of blocks, column by column."""

from kronlin.arrays import Array, inner_products, real_part


def inner(x: Array, y: Array) -> Array:
    """Re xᴴ y of the columns of two blocks (n, k), as (k,)."""
    return real_part(inner_products(x, y))
