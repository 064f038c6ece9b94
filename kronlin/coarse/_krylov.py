"""Krylov: powers of the fine preconditioner on each block, applied to constants or to a residual."""

from typing import Any

from kronlin.algebra import Operator
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, adjoint, all_finite, is_array, kind, root_sum_squares, to_numpy
from kronlin.coarse._blocks import as_blocks, cut_along, require_same_cuts
from kronlin.operators import BlockDiagonal, Dense


def krylov(blocks: Any, M: Any, start: Any = "ones", depth: int = 2) -> BlockDiagonal:
    """The coarse space Z of Krylov spaces: on each block span{u, M_l u, …, M_l^(q-1) u}, orthonormal; (p, at most q L).

    High powers all point along the leading eigenvector of M_l, so they are not formed: M_l is applied to the newest
    column, and what is orthogonal to all before is the next one. A block ends early where less than 1e-8 of that is
    left (1e-5 in single precision): its Krylov space is exhausted. A block on which u is zero keeps one zero column,
    which the Galerkin step drops and counts.

    Args:
        blocks: the block-diagonal approximation whose partition is used.
        M: the block-diagonal preconditioner (p, p) ≈ A⁻¹ of the fine level, with blocks of the same sizes.
        start: u, "ones" (Nicolaides' constants) or a vector (p,) such as a residual or a gradient; with a vector that
            depends on b the space serves a single step, and must be kept fixed inside a Krylov method.
        depth: the number q of columns a block, at least 1.

    Raises:
        ValueError: a block is not square, M is cut otherwise, `start` is neither "ones" nor a finite vector (p,), or
            `depth` is below 1.

    Cost: q - 1 products with M and 4 p q² operations, p q numbers.

    >>> import numpy as np, kronlin as kl
    >>> M = kl.BlockDiagonal([np.diag([1.0, 3.0]), np.eye(2)])
    >>> krylov(M, M, depth=2).to_dense().round(3)
    array([[ 0.707, -0.707,  0.   ],
           [ 0.707,  0.707,  0.   ],
           [ 0.   ,  0.   ,  0.707],
           [ 0.   ,  0.   ,  0.707]])

    Source: Koroko et al., arXiv 2303.18083, for the spaces; Arnoldi, Quart. Appl. Math. 9 (1951), for the basis.
    """
    found, fine = as_blocks(blocks), as_blocks(M)
    require_same_cuts(found, fine, "krylov: blocks and M")
    if depth < 1:
        raise ValueError(f"krylov: depth = {depth}, but it is the number of columns a block, at least 1")
    fine, u = promote("a Krylov space", fine, _start(start, fine))
    pairs = zip(fine.buckets, cut_along(fine, u).buckets, strict=True)
    bases = [Dense._make(_basis(bucket, column.to_dense(), depth)) for bucket, column in pairs]
    whole = BlockDiagonal._make(*bases, members=fine.members)
    return BlockDiagonal.of_blocks(Dense._make(_without_zeros(block.to_dense())) for block in whole.blocks)


def _start(start: Any, fine: BlockDiagonal) -> Array:
    """The vector u as a column (p, 1)."""
    p = fine.shape[0]
    if isinstance(start, str) and start == "ones":
        return fine.kind.ones(p, 1)
    if not is_array(start):
        raise ValueError(f'krylov: start is "ones" or a vector ({p},), not {start!r}')
    if tuple(start.shape) != (p,) or not all_finite(start):
        raise ValueError(f"krylov: start must be a finite vector of shape ({p},), not {tuple(start.shape)}")
    return start[:, None]


def _basis(M: Operator, u: Array, depth: int) -> Array:
    """Arnoldi's orthonormal basis (..., n, q) of span{u, M u, …}; zeros in the columns after its end."""
    xp = M.kind.xp
    basis = _direction(u, M.kind.zeros(*u.shape))
    for _ in range(depth - 1):
        basis = xp.concat([basis, _direction(M._matmat(basis[..., -1:]), basis)], axis=-1)
    return basis


def _direction(w: Array, basis: Array) -> Array:
    """What w (..., n, 1) has orthogonal to the basis, as a unit vector; zero if that is rounding error."""
    own = kind(w)
    size = root_sum_squares(w, axis=-2)
    for _ in range(2):
        w = w - basis @ (adjoint(basis) @ w)
    rest = root_sum_squares(w, axis=-2)
    kept = rest > max(1e-8, 100 * own.eps) * size
    unit = own.xp.where(kept, rest, own.real.ones(*rest.shape))
    return own.xp.where(kept[..., None, :], w / unit[..., None, :], own.zeros(*w.shape))


def _without_zeros(basis: Array) -> Array:
    """The columns up to the first zero, at least one."""
    lengths = to_numpy(root_sum_squares(basis, axis=-2))
    return basis[:, : max(1, int((lengths > 0).sum()))]
