"""Sums and products of what is cut into blocks, block by block: matrices of blocks, stacks, block diagonals."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from kronlin.algebra import Operator, Sum, Zero, rules
from kronlin.algebra.product import are_adjoints
from kronlin.algebra.properties import PSD
from kronlin.arrays import Array, conj
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.blockmatrix import BlockMatrix
from kronlin.operators.lowrank import LowRank
from kronlin.operators.origin import recall, remember
from kronlin.operators.stacks import HStack, VStack, is_compact, joined

Grid = Sequence[Sequence[Operator]]


def cuts(grid: Grid) -> tuple[list[int], list[int]]:
    """Return how a grid of blocks cuts its rows and its columns."""
    return [row[0].shape[0] for row in grid], [block.shape[1] for block in grid[0]]


def grid_of(a: Operator) -> Grid:
    """Return the blocks of anything that is cut into blocks; zeros stand beside those of a block diagonal."""
    if isinstance(a, BlockMatrix):
        return a.blocks
    if isinstance(a, VStack):
        return [[operator] for operator in a.operators]
    if isinstance(a, HStack):
        return [a.operators]
    assert isinstance(a, BlockDiagonal)
    blocks = a.blocks
    return [
        [row if i == j else Zero((row.shape[0], column.shape[1]), like=row) for j, column in enumerate(blocks)]
        for i, row in enumerate(blocks)
    ]


def assembled(grid: Grid) -> Operator:
    """Make a stack of a grid that is a single row or column, a matrix of blocks of any other."""
    if len(grid[0]) == 1:
        return VStack._make(*(row[0] for row in grid))
    if len(grid) == 1:
        return HStack._make(*grid[0])
    return BlockMatrix._make(*(block for row in grid for block in row), width=len(grid[0]))


def _nonzero(one: Sequence[Operator], two: Sequence[Operator]) -> list[tuple[Operator, Operator]]:
    """The pairs of blocks of which neither is zero."""
    pairs = zip(one, two, strict=True)
    return [pair for pair in pairs if not any(isinstance(block, Zero) for block in pair)]


@rules.compose.register(BlockMatrix, BlockMatrix)
@rules.compose.register(BlockMatrix, VStack)
@rules.compose.register(BlockMatrix, BlockDiagonal)
@rules.compose.register(HStack, BlockMatrix)
@rules.compose.register(BlockDiagonal, BlockMatrix)
def compose_blocks(a: Operator, b: Operator) -> Operator:
    """(A B)_ij = Σ_k A_ik B_kj, where the cuts agree and a rule joins each pair."""
    left, right = grid_of(a), grid_of(b)
    if cuts(left)[1] != cuts(right)[0]:
        return NotImplemented
    rows = []
    for row in left:
        sums = []
        for column in zip(*right, strict=True):
            products = joined(_nonzero(row, column), form=is_compact(a, b))
            if products is None:
                return NotImplemented
            zero = Zero((row[0].shape[0], column[0].shape[1]), like=a)
            sums.append(reduce(add, products) if products else zero)
        rows.append(sums)
    product = assembled(rows)._with(recall(a, b))
    return product._with(PSD) if are_adjoints(a, b) else remember(product, a, b.properties._replace(pd=None))


@rules.gram.register(BlockMatrix, BlockMatrix)
@rules.gram.register(BlockMatrix, VStack)
@rules.gram.register(BlockMatrix, BlockDiagonal)
@rules.gram.register(VStack, BlockMatrix)
@rules.gram.register(BlockDiagonal, BlockMatrix)
@rules.gram.register(BlockDiagonal, VStack)
def gram_of_blocks(a: Operator, b: Operator) -> Array:
    """(Aᴴ B)_ij = Σ_k A_kiᴴ B_kj, where the rows are cut alike."""
    left, right = grid_of(a), grid_of(b)
    if cuts(left)[0] != cuts(right)[0]:
        return NotImplemented
    xp, rows = a.kind.xp, []
    for one in zip(*left, strict=True):
        sums = []
        for two in zip(*right, strict=True):
            pairs = _nonzero(one, two)
            zero = a.kind.zeros(one[0].shape[1], two[0].shape[1])
            sums.append(reduce(add, (rules.gram(*pair) for pair in pairs)) if pairs else zero)
        rows.append(xp.concat(sums, axis=-1))
    return xp.concat(rows, axis=-2)


@rules.add.register(BlockMatrix, BlockMatrix)
@rules.add.register(BlockMatrix, BlockDiagonal)
@rules.add.register(BlockDiagonal, BlockMatrix)
def add_blocks(a: Operator, b: Operator) -> Operator:
    """Block by block, where the cuts agree."""
    left, right = grid_of(a), grid_of(b)
    if cuts(left) != cuts(right):
        return NotImplemented
    blocks = [one + two for pair in zip(left, right, strict=True) for one, two in zip(*pair, strict=True)]
    return BlockMatrix._make(*blocks, width=len(left[0]))._with(Sum(a, b)._derive())


@rules.inner.register(BlockDiagonal, LowRank, level=1)
def inner_of_block_diagonal_and_low_rank(a: BlockDiagonal, b: LowRank) -> Array:
    """Only the diagonal blocks U_l C V_lᴴ count, where U and V are stacks that are cut as the blocks are."""
    stacks = ((a.rows.sizes, b.U), (a.columns.sizes, b.V))
    if not all(isinstance(U, VStack) and [each.shape[0] for each in U.operators] == list(s) for s, U in stacks):
        return NotImplemented
    return reduce(add, (rules.inner(block, b.block(place, place)) for place, block in enumerate(a.blocks)))


@rules.inner.register(LowRank, BlockDiagonal, level=1)
def inner_of_low_rank_and_block_diagonal(a: LowRank, b: BlockDiagonal) -> Array:
    """The conjugate of the other order."""
    return conj(rules.inner(b, a))
