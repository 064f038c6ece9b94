"""Exact damping with one number a layer."""

from collections.abc import Sequence
from typing import Any

from kronlin.algebra import Identity, Operator, Scaled, Sum, rules
from kronlin.curvature._blockwise import blockwise, is_one, one_each
from kronlin.operators import BlockDiagonal, BlockMatrix, BlockTridiagonal, LowRank, VStack


def tikhonov_damping(F: Any, lam: float | Sequence[float]) -> Operator:
    """F + diag(λ_1 I, …, λ_L I), exactly; F + λ I for one number.

    Each block keeps its closed form: of a Kronecker product with λ_l I in the eigenbasis of its factors, of the full
    Fisher matrix by the formula of Woodbury with diag(1/λ_l) for the inverse of the diagonal. For one number it is
    `F.damped(lam)`.

    Args:
        F: a block-diagonal operator, or for several λ also another one that is cut into blocks: the Fisher matrix of
            `fisher`, a `BlockMatrix` or a `BlockTridiagonal`, and a sum or multiple of these.
        lam: a finite λ ≥ 0 in the units of F, or a sequence of them, one a block.

    Returns:
        A `BlockDiagonal` of damped blocks for a `BlockDiagonal`, else the sum of F and a `BlockDiagonal`.

    Raises:
        ValueError: λ is negative or not finite, there are not as many as blocks, or F is not square or not in blocks.

    >>> import numpy as np, kronlin as kl
    >>> K = kl.BlockDiagonal([kl.Kronecker(np.eye(2), np.eye(1)), np.eye(1)])
    >>> kl.tikhonov_damping(K, [1.0, 2.0]).diagonal()
    array([2., 2., 3.])
    >>> F = kl.fisher([kl.LayerStatistics(np.ones((1, 2)), np.ones((1, 1)))] * 2)
    >>> kl.tikhonov_damping(F, [1.0, 2.0])
    Sum(4×4, float64, pd: LowRank(4×4), BlockDiagonal(4×4))

    Source: Tikhonov damping of a curvature matrix: Martens and Grosse, arXiv 1503.05671, section 6.
    """
    F = rules.wrap(F)
    if isinstance(F, BlockDiagonal) or is_one(lam):
        return blockwise(F, lam, lambda block, number: block.damped(number))
    sizes = _cuts(F)
    if not sizes:
        raise ValueError(
            f"{F!r} is not cut into square blocks, so one lam a block says nothing: pass one number, or add "
            "kronlin.BlockDiagonal([lam_l * kronlin.Identity(n_l, like=F), ...])"
        )
    numbers = one_each(lam, len(sizes))
    shift: Operator = F + BlockDiagonal.of_blocks(
        number * Identity(size, like=F) for number, size in zip(numbers, sizes, strict=True)
    )
    return shift


def _cuts(F: Operator) -> list[int]:
    """The sizes of the diagonal blocks; none where F is not cut, or rows and columns are not cut alike."""
    if isinstance(F, BlockTridiagonal):
        return F.sizes
    if isinstance(F, BlockMatrix):
        rows, columns = [row[0].shape[0] for row in F.blocks], [block.shape[1] for block in F.blocks[0]]
        return rows if rows == columns else []
    if isinstance(F, LowRank) and F.V is F.U and isinstance(F.U, VStack):
        return [part.shape[0] for part in F.U.operators]
    if isinstance(F, Scaled):
        return _cuts(F.base)
    if isinstance(F, Sum):
        return next(filter(None, map(_cuts, F.terms)), [])
    return F.rows.sizes if isinstance(F, BlockDiagonal) and F.rows.sizes == F.columns.sizes else []
