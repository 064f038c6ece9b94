"""Spectral: eigenvectors of each block."""

from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.arrays import to_numpy
from kronlin.coarse._blocks import as_blocks, require_columns
from kronlin.operators import BlockDiagonal

_WHICH = ("smallest", "smallest-nonzero", "largest")


def spectral(blocks: Any, k: int = 1, which: str = "smallest") -> BlockDiagonal:
    """The coarse space Z of k eigenvectors of each block; (p, k L), orthonormal columns.

    On a Kronecker block the eigenvectors are q_u ⊗ q_v; the k chosen pairs (u, v) are no grid, so that they are kept
    as a `KhatriRao` operator of (d_out + d_in) k numbers. The eigendecomposition is that of the blocks, done once
    for their damping, inverse and coarse space alike.

    Args:
        blocks: the block-diagonal approximation whose eigenvectors are used (the approximation of A, not of A⁻¹).
        k: eigenvectors a block; at most its size.
        which: "smallest" eigenvalues, zeros included; "smallest-nonzero", those above rounding error (fewer than k
            where the rank is smaller); or "largest".

    Raises:
        ValueError: `which` is unknown, k is not between 1 and the size of the smallest block, or a block is not square
            or has no nonzero eigenvalue.

    >>> import numpy as np, kronlin as kl
    >>> spectral(kl.BlockDiagonal([np.diag([3.0, 1.0, 2.0])]), k=1, which="largest").to_dense()[:, 0]
    array([1., 0., 0.])

    Source: arXiv 2303.18083, section 4 (smallest); Frank and Vuik, SIAM J. Sci. Comput. 23 (2001).
    """
    if which not in _WHICH:
        raise ValueError(f"unknown which {which!r}: choose one of {', '.join(map(repr, _WHICH))}")
    found = as_blocks(blocks)
    require_columns(k, found, "eigenvectors")
    bases = found.factor_blocks(lambda bucket: bucket.eigh())
    return BlockDiagonal([_chosen(block, k, which, found.kind.eps) for block in bases.blocks])


def _chosen(basis: Any, k: int, which: str, eps: float) -> Operator:
    """The columns of an eigendecomposition whose eigenvalues are asked for; ties go by position."""
    if basis.deficit:
        raise ValueError(
            f"the eigenvectors of {basis!r} on the complement of its range are not formed: "
            "use a Kronecker or dense approximation of the block"
        )
    values = to_numpy(basis.w)
    order = sorted(range(len(values)), key=lambda i: (-values[i] if which == "largest" else values[i], i))
    if which == "smallest-nonzero":
        floor = len(values) * eps * max(abs(values))
        order = [i for i in order if abs(values[i]) > floor]
        if not order:
            raise ValueError("a block has no nonzero eigenvalue: leave it out, or ask for the smallest")
    chosen: Operator = rules.columns(basis.Q, order[:k])
    return chosen
