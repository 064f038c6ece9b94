"""Nicolaides: one constant vector a block."""

from typing import Any

from kronlin.algebra import Operator
from kronlin.coarse._blocks import as_blocks
from kronlin.operators import BlockDiagonal, Dense, Kronecker, Spectral


def nicolaides(blocks: Any) -> BlockDiagonal:
    """The coarse space Z of Nicolaides: for each block the vector that is 1 on it and 0 elsewhere; (p, L).

    On a block with the eigenbasis or factors of a Kronecker product the vector is kept as 1 ⊗ 1.

    Args:
        blocks: the block-diagonal approximation whose partition is used.

    Raises:
        ValueError: a block is not square.

    >>> import numpy as np, kronlin as kl
    >>> nicolaides(kl.BlockDiagonal([np.eye(2), np.eye(3)])).to_dense().T
    array([[1., 1., 0., 0., 0.],
           [0., 0., 1., 1., 1.]])

    Source: Nicolaides, SIAM J. Numer. Anal. 24 (1987); for K-FAC: arXiv 2303.18083, section 4.
    """
    return BlockDiagonal([_constant(block) for block in as_blocks(blocks).blocks])


def _constant(block: Operator) -> Operator:
    structure = block.Q if isinstance(block, Spectral) else block
    if isinstance(structure, Kronecker):
        return Kronecker._make(*(Dense._make(block.kind.ones(factor.shape[0], 1)) for factor in structure.factors))
    return Dense._make(block.kind.ones(block.shape[0], 1))
