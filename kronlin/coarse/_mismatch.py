"""Mismatch: where the fine preconditioner of a block is farthest from the inverse of that block."""

from math import inf, log
from typing import Any

from kronlin.algebra import Operator
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, adjoint, eigh, hermitian_part, to_numpy
from kronlin.coarse._blocks import as_blocks, require_columns, require_same_cuts
from kronlin.operators import DENSE_LIMIT, BlockDiagonal, Dense

_MEASURES = ("difference", "ratio")


def mismatch(blocks: Any, M: Any, k: int = 1, measure: str = "difference") -> BlockDiagonal:
    """The coarse space Z of k vectors a block with F_l z = μ M_l⁻¹ z and μ farthest from 1; (p, k L).

    Where μ is near 1 the fine step M_l b is right on the block; these are the directions in which it is not, those
    of the spaces called GenEO for the blocks of K-FAC. What lies between the blocks they do not see.

    Args:
        blocks: the exact diagonal blocks F_l of A, damping included, such as
            `block_diagonal_fisher(layers).damped(lam)`.
        M: the block-diagonal preconditioner (p, p) ≈ A⁻¹ of the fine level, positive definite, with blocks of the
            same sizes.
        k: vectors a block; at most its size.
        measure: of the distance of μ from 1: "difference", |μ - 1|, the factor by which the step I - M A changes an
            error; or "ratio", |log μ|, what counts for the condition number of M A.

    Raises:
        ValueError: a block is not square or larger than DENSE_LIMIT, the sizes of the blocks differ, k is not between
            1 and the size of the smallest block, `measure` is unknown, or M is known or found not to be pd.

    Cost: O(n³) operations and n² numbers for each block of size n, one after the other; n k numbers are kept.

    >>> import numpy as np
    >>> mismatch(np.diag([1.0, 4.0, 9.0]), np.diag([1.0, 0.25, 1.0])).to_dense()[:, 0]
    array([0., 0., 1.])

    Source: Spillane, Dolean, Hauret, Nataf, Pechstein, Scheichl, "Abstract robust coarse spaces for systems of PDEs
    via generalized eigenproblems in the overlaps", Numer. Math. 126 (2014).
    """
    if measure not in _MEASURES:
        raise ValueError(f"unknown measure {measure!r}: choose one of {', '.join(map(repr, _MEASURES))}")
    exact, fine = as_blocks(blocks), as_blocks(M)
    require_same_cuts(exact, fine, "mismatch: blocks and M")
    require_columns(k, exact, "vectors")
    exact, fine = promote("a coarse space", exact, fine)
    if fine.is_pd is False:
        raise ValueError(f"mismatch needs a positive definite M, and {fine!r} is known not to be: damp it")
    largest = max(exact.rows.sizes)
    if largest > DENSE_LIMIT:
        raise ValueError(
            f"mismatch: a block of size {largest} is above the limit of {DENSE_LIMIT} for a dense eigenvalue problem: "
            "take BlockDiagonal of ritz(F_l, k, M_l, 'largest') for the blocks F_l and M_l"
        )
    pairs = zip(exact.blocks, fine.blocks, strict=True)
    return BlockDiagonal.of_blocks(Dense._make(_farthest(F, R, k, measure)) for F, R in pairs)


def _farthest(F: Operator, M: Operator, k: int, measure: str) -> Array:
    """z = R y for the eigenvectors y of R F R, R = M^½, whose eigenvalues are farthest from 1; ties go by position."""
    root = M.sqrt()
    half = root._matmat(F.to_dense())
    w, y = eigh(hermitian_part(root._matmat(adjoint(half))))
    distances = [_distance(value, measure) for value in to_numpy(w).tolist()]
    order = sorted(range(len(distances)), key=lambda i: (-distances[i], i))
    return root._matmat(F.kind.xp.take(y, F.kind.indices(order[:k]), axis=-1))


def _distance(value: float, measure: str) -> float:
    """How far μ is from 1."""
    if measure == "difference":
        return abs(value - 1)
    return abs(log(value)) if value > 0 else inf
