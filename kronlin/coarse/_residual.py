"""Residual: what one fine step leaves over, cut along the blocks."""

from typing import Any

from kronlin.algebra import rules
from kronlin.arrays import Array, all_finite
from kronlin.coarse._blocks import as_blocks, cut_along
from kronlin.operators import BlockDiagonal


def residual(blocks: Any, A: Any, M: Any, b: Array) -> BlockDiagonal:
    """The coarse space Z of the second fine step, a column a block: z = M (b - A M b), cut along the blocks; (p, L).

    A two-level step with it is free to choose the length of the correction on each block. The space depends on b:
    it serves a single step with that b. Inside a Krylov method keep it fixed. A block on which the correction is zero
    keeps a zero column, which the Galerkin step drops and counts.

    Args:
        blocks: the block-diagonal approximation whose partition is used.
        A: the operator of the system (p, p).
        M: an operator (p, p) that approximates A⁻¹.
        b: the right-hand side (p,).

    Raises:
        ValueError: a block is not square, the shapes or kinds do not fit, or b has a NaN or an Inf.

    Cost: one product with A and two with M.

    >>> import numpy as np, kronlin as kl
    >>> A = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> Z = residual(kl.BlockDiagonal([np.eye(1), np.eye(1)]), A, np.eye(2) / 2, np.array([2.0, 4.0]))
    >>> Z.to_dense()
    array([[-1. ,  0. ],
           [ 0. , -0.5]])

    Source: Koroko et al., "Analysis and comparison of two-level KFAC methods", arXiv 2303.18083.
    """
    found, A, M = as_blocks(blocks), rules.wrap(A), rules.wrap(M)
    p = found.shape[0]
    if A.shape != (p, p) or M.shape != (p, p) or tuple(b.shape) != (p,):
        raise ValueError(
            f"residual takes A and M of the shape ({p}, {p}) of the blocks and b ({p},), "
            f"not {A.shape}, {M.shape} and {tuple(b.shape)}"
        )
    if not all_finite(b):
        raise ValueError("residual: b has an entry that is NaN or infinite")
    step = M @ b
    return cut_along(found, (M @ (b - A @ step))[:, None])
