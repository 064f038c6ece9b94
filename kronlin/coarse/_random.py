"""Random: Gaussian columns on each block, the yardstick of all other spaces."""

from typing import Any

from kronlin.algebra import Operator
from kronlin.arrays import abs2, diagonal_of, qr, random_normal
from kronlin.coarse._blocks import as_blocks, cut_along, require_columns
from kronlin.operators import BlockDiagonal, Dense


def random(blocks: Any, k: int = 1, seed: int = 0) -> BlockDiagonal:
    """The coarse space Z of k Gaussian columns a block, made orthonormal; (p, k L).

    What a space is worth shows in comparison with this one of the same size. Its numbers are those of the seed on
    every array library: Q of the decomposition G = Q R of Gaussian columns G, with a positive diagonal of R.

    Args:
        blocks: the block-diagonal approximation whose partition is used.
        k: columns a block; at most its size.
        seed: for the random numbers.

    Raises:
        ValueError: a block is not square, or k is not between 1 and the size of the smallest block.

    Cost: p k² operations, p k numbers.

    >>> import numpy as np, kronlin as kl
    >>> Z = random(kl.BlockDiagonal([np.eye(2), np.eye(3)]), 2, seed=1)
    >>> Z.shape, Z.H @ Z @ np.ones(4)
    ((5, 4), array([1., 1., 1., 1.]))

    Source: Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 53 (2011).
    """
    found = as_blocks(blocks)
    require_columns(k, found, "random columns")
    return cut_along(found, random_normal(found.kind, (found.shape[0], k), seed)).map_blocks(_orthonormal)


def _orthonormal(columns: Dense) -> Operator:
    """Q of Q R = G, made unique by phases that make the diagonal of R positive."""
    q, r = qr(columns.array)
    pivots = diagonal_of(r)
    return Dense._make(q * (pivots / columns.kind.xp.sqrt(abs2(pivots)))[..., None, :])
