"""Aggregation: constants on the rows, the columns or any tiles of each weight."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kronlin.algebra import Identity, Operator
from kronlin.arrays import is_array, to_numpy
from kronlin.coarse._blocks import as_blocks
from kronlin.operators import BlockDiagonal, Dense, Kronecker, Selection, Spectral

_BY = {"rows": ("each", None), "columns": (None, "each"), "layer": (None, None)}


def aggregation(
    blocks: Any, by: Any = "rows", *, bias: bool = False, shapes: Sequence[tuple[int, int]] | None = None
) -> BlockDiagonal:
    """The coarse space Z of weights that move together: R ⊗ C on each weight (d_out, d_in), R and C of zeros and ones.

    Column (u, v) is 1 on the entries (i, j) of the weight with i in group u and j in group v. Both factors are kept,
    as index lists: a product costs additions only. With "rows" there is one column for each output unit, I ⊗ 1; with
    "columns" one for each input, 1 ⊗ I; with "layer" one for each block, the space of Nicolaides.

    Args:
        blocks: the block-diagonal approximation; d_out and d_in are read off blocks held as a Kronecker product of
            two factors or in the eigenbasis of one.
        by: "rows", "columns" or "layer"; or a tuple (r, c) for all blocks, or a list of one such tuple a block. Each
            of r and c is None (one group), "each", a whole number m (at most m contiguous groups of nearly equal
            size; 2ʲ of them span Haar's functions of j levels), or the labels of the d_out rows or d_in columns.
        bias: whether the last column of each weight makes groups of its own: weights and biases move apart.
        shapes: (d_out, d_in) of each block, where the blocks do not tell.

    Raises:
        ValueError: a block is not square, its factors are unknown or do not fit `shapes`, or `by` does not fit.

    Cost: nothing but the index lists.

    >>> import numpy as np, kronlin as kl
    >>> K = kl.Kronecker(np.eye(2), np.eye(3))
    >>> aggregation(K, "rows").to_dense().T
    array([[1., 1., 1., 0., 0., 0.],
           [0., 0., 0., 1., 1., 1.]])
    >>> aggregation(K, "layer", bias=True).to_dense().T
    array([[1., 1., 0., 1., 1., 0.],
           [0., 0., 1., 0., 0., 1.]])

    Source: Tselepidis, Kohler, Orvieto, "Two-level K-FAC preconditioning for deep learning", arXiv 2011.00573, for
    layers; Vaněk, Mandel, Brezina, Computing 56 (1996), for aggregates.
    """
    found = as_blocks(blocks)
    count = len(found.blocks)
    if shapes is not None and len(shapes) != count:
        raise ValueError(f"aggregation: shapes has {len(shapes)} entries for {count} blocks")
    groups = _groups_of_blocks(by, count)
    spaces = []
    for position, block in enumerate(found.blocks):
        d_out, d_in = _shape(block) if shapes is None else _fitting(shapes[position], block)
        rows, columns = groups[position]
        left = _labels(rows, d_out, "rows")
        right = _labels(columns, d_in, "columns")
        if bias:
            right = [*((label, 0) for label in right[:-1]), (right[-1], 1)]
        spaces.append(Kronecker._make(_indicators(left, block), _indicators(right, block)))
    return BlockDiagonal.of_blocks(spaces)


def _groups_of_blocks(by: Any, count: int) -> list[tuple[Any, Any]]:
    """How the rows and the columns of each weight are grouped."""
    if isinstance(by, str):
        if by not in _BY:
            raise ValueError(f"unknown by {by!r}: choose one of {', '.join(map(repr, _BY))}, or pass groups (r, c)")
        return [_BY[by]] * count
    groups = [by] * count if isinstance(by, tuple) else list(by)
    if len(groups) != count or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in groups):
        raise ValueError(f"aggregation: by is a tuple (r, c) for all {count} blocks, or a list of one tuple a block")
    return groups


def _shape(block: Operator) -> tuple[int, int]:
    """d_out and d_in of a block that is, or has the eigenvectors of, a Kronecker product."""
    structure = block.Q if isinstance(block, Spectral) else block
    if isinstance(structure, Kronecker) and len(structure.factors) == 2:
        return structure.factors[0].shape[0], structure.factors[1].shape[0]
    raise ValueError(f"{block!r} is no Kronecker product of two factors: pass shapes=[(d_out, d_in), ...]")


def _fitting(shape: tuple[int, int], block: Operator) -> tuple[int, int]:
    """A shape given by the caller, if the block has such a size."""
    d_out, d_in = shape
    if d_out * d_in != block.shape[0]:
        raise ValueError(f"a weight of shape ({d_out}, {d_in}) has {d_out * d_in} entries, its block {block.shape[0]}")
    return d_out, d_in


def _labels(groups: Any, size: int, what: str) -> list[Any]:
    """One label for each row or column of a weight; labels given are replaced by their rank."""
    if groups is None:
        return [0] * size
    if isinstance(groups, str) and groups == "each":
        return list(range(size))
    if isinstance(groups, int) and groups >= 1:
        return [i * groups // size for i in range(size)]
    labels = np.asarray(to_numpy(groups) if is_array(groups) else groups)
    if labels.shape != (size,):
        raise ValueError(f"aggregation: {what} are grouped by None, a number ≥ 1 or {size} labels, not {groups!r}")
    ranks: list[Any] = np.unique(labels, return_inverse=True)[1].tolist()
    return ranks


def _indicators(labels: list[Any], block: Operator) -> Operator:
    """The operator (size, groups) with a 1 where a row has the label of the column, groups in order of the labels."""
    places = {label: place for place, label in enumerate(sorted(set(labels)))}
    if len(places) == 1:
        return Dense._make(block.kind.ones(len(labels), 1))
    indices = [places[label] for label in labels]
    if indices == list(range(len(labels))):
        return Identity(len(labels), like=block)
    return Selection(indices, len(places), like=block)
