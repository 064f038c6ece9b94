"""BlockMatrix: a matrix of operators."""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import add
from typing import Any

from kronlin.algebra import Operator, Properties, Scaled, Zero, rules
from kronlin.algebra.product import are_adjoints
from kronlin.algebra.properties import properties
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, root_sum_squares
from kronlin.operators.stacks import split_rows
from kronlin.operators.substitution import BlockSubstitution, Step, slogdet_of_blocks


class BlockMatrix(Operator):
    """[[A₁₁, A₁₂, …], [A₂₁, A₂₂, …], …]: one product with each block.

    It is known to be self-adjoint if its diagonal blocks are and its other blocks are each other's adjoints, that is
    if one was made as the `.H` of the other. The inverse of a block triangular one is by substitution. The inverse
    and the determinant of a 2×2 one come from its first block and the Schur complement of that, S = A₂₂ - A₂₁ A₁₁⁻¹
    A₁₂, where A₁₁ has an inverse with structure or the matrix is promised to be pd. All of this is exact, without
    pivoting between blocks: A₁₁ must not be much worse conditioned than the whole. What is left is made dense.

    Args:
        rows: lists of operators or arrays, equally many in each; None or 0 for a block of zeros whose size follows
            from its row and column.

    Raises:
        ValueError: sizes do not fit in a row or column of blocks, which the error names, or kinds differ.

    >>> import numpy as np
    >>> B = np.ones((1, 2))
    >>> A = BlockMatrix([[2 * np.eye(2), B.T], [B, None]])
    >>> A
    BlockMatrix(3×3, float64: 2×2 blocks)
    >>> A @ np.array([1.0, 2.0, 3.0])
    array([5., 7., 3.])

    Source: Zhang (ed.), "The Schur Complement and Its Applications" (2005), sections 0.2 and 0.3.
    """

    _stackable = False

    def __init__(self, rows: Iterable[Iterable[Any]]) -> None:
        grid = checked_grid(rows)
        self._setup(*(block for row in grid for block in row), width=len(grid[0]))

    def _setup(self, *blocks: Operator, width: int) -> None:
        self.blocks = tuple(blocks[start : start + width] for start in range(0, len(blocks), width))
        self.row_sizes = [row[0].shape[0] for row in self.blocks]
        self.column_sizes = [block.shape[1] for block in self.blocks[0]]
        self._define(*blocks, shape=(sum(self.row_sizes), sum(self.column_sizes)), width=width)

    @property
    def diagonal_blocks(self) -> tuple[Operator, ...]:
        """The blocks A₁₁, A₂₂, … of a matrix whose rows and columns are cut alike."""
        return tuple(row[i] for i, row in enumerate(self.blocks[: len(self.column_sizes)]))

    @property
    def _inside(self) -> str:
        return f"{len(self.row_sizes)}×{len(self.column_sizes)} blocks"

    def _derive(self) -> Properties:
        if not self._is_aligned():
            return Properties()
        n = len(self.blocks)
        symmetric = all(are_twins(self.blocks[i][j], self.blocks[j][i]) for i in range(n) for j in range(i))
        return known_from_diagonal([block.properties for block in self.diagonal_blocks], symmetric)

    def _is_aligned(self) -> bool:
        """Whether rows and columns are cut alike, so that the diagonal blocks are square and hold the diagonal."""
        return self.row_sizes == self.column_sizes

    def triangle(self) -> list[Step] | None:
        """The rows in the order in which a block triangular system is solved; None if A is not block triangular."""
        if not self._is_aligned():
            return None
        n = len(self.blocks)
        rest = [[j for j in range(n) if j != i and not isinstance(self.blocks[i][j], Zero)] for i in range(n)]
        if all(j < i for i in range(n) for j in rest[i]):
            order = list(range(n))
        elif all(j > i for i in range(n) for j in rest[i]):
            order = list(reversed(range(n)))
        else:
            return None
        return [(i, [(j, self.blocks[i][j]) for j in rest[i]]) for i in order]

    def _matmat(self, x: Array) -> Array:
        pieces = split_rows(x, self.column_sizes)
        rows = []
        for row in self.blocks:
            pairs = zip(row, pieces, strict=True)
            terms = [block._matmat(piece) for block, piece in pairs if not isinstance(block, Zero)]
            rows.append(reduce(add, terms) if terms else row[0]._matmat(pieces[0]))
        return self.kind.xp.concat(rows, axis=-2)

    def map_blocks(self, function: Callable[[Any], Any]) -> "BlockMatrix":
        """Apply a function from operator to operator to every block."""
        return BlockMatrix._make(*map(function, self.parts), **self.options)


def checked_grid(rows: Iterable[Iterable[Any]]) -> list[list[Operator]]:
    """Wrap the blocks, check that their sizes fit, and put zeros where None or 0 stands."""
    grid = [[None if _is_blank(block) else rules.wrap(block) for block in row] for row in rows]
    if not grid or not grid[0]:
        raise ValueError("BlockMatrix takes at least one row of at least one block")
    if len({len(row) for row in grid}) > 1:
        raise ValueError(
            f"BlockMatrix takes rows of equally many blocks, not {', '.join(str(len(row)) for row in grid)}: "
            "write None for a block of zeros"
        )
    heights = [_common_size("row", i, [block.shape[0] for block in row if block]) for i, row in enumerate(grid)]
    columns = enumerate(zip(*grid, strict=True))
    widths = [_common_size("column", j, [block.shape[1] for block in column if block]) for j, column in columns]
    present = iter(promote("a block matrix", *(block for row in grid for block in row if block)))
    like = next(block for row in grid for block in row if block)
    return [
        [Zero((m, n), like=like) if block is None else next(present) for block, n in zip(row, widths, strict=True)]
        for row, m in zip(grid, heights, strict=True)
    ]


def _is_blank(block: Any) -> bool:
    return block is None or (isinstance(block, int | float) and block == 0)


def _common_size(what: str, place: int, sizes: list[int]) -> int:
    if not sizes:
        raise ValueError(
            f"BlockMatrix: block {what} {place} holds nothing that tells its size: pass kronlin.Zero((m, n), like=...)"
        )
    if len(set(sizes)) > 1:
        raise ValueError(f"BlockMatrix: the blocks of block {what} {place} have {', '.join(map(str, sizes))} {what}s")
    return sizes[0]


def known_from_diagonal(known: list[Properties], symmetric: bool) -> Properties:
    """Derive what is known of A from its diagonal blocks; they are principal submatrices, so what one lacks, A lacks.

    Args:
        known: of each diagonal block.
        symmetric: whether the other blocks are each other's adjoints.
    """
    lacks = [False if False in answers else None for answers in zip(*known, strict=True)]
    self_adjoint = symmetric and all(answers.self_adjoint for answers in known)
    return properties(True if self_adjoint else lacks[0], *lacks[1:])


def are_twins(a: Operator, b: Operator) -> bool:
    """Tell whether A = Bᴴ is known."""
    return are_adjoints(a, b) or are_adjoints(b, a) or (isinstance(a, Zero) and isinstance(b, Zero))


@rules.scale.register(BlockMatrix)
def scale_block_matrix(a: BlockMatrix, factor: complex) -> Operator:
    """Block by block."""
    scaled = a.map_blocks(lambda block: rules.scale(block, factor))
    return scaled if factor.imag else scaled._with(Scaled(a, factor=factor)._derive())


@rules.shift.register(BlockMatrix)
def shift_block_matrix(a: BlockMatrix, c: complex) -> Operator:
    """Shift the diagonal blocks, if they are square."""
    if c.imag or not a._is_aligned():
        return NotImplemented
    rows = [[b._shifted(c) if i == j else b for j, b in enumerate(row)] for i, row in enumerate(a.blocks)]
    return BlockMatrix._make(*(block for row in rows for block in row), **a.options)


@rules.adjoint.register(BlockMatrix)
def adjoint_of_block_matrix(a: BlockMatrix) -> Operator:
    """(Aᴴ)_ij = A_jiᴴ."""
    turned = [block.H for column in zip(*a.blocks, strict=True) for block in column]
    return BlockMatrix._make(*turned, width=len(a.blocks))


@rules.conjugate.register(BlockMatrix)
def conjugate_of_block_matrix(a: BlockMatrix) -> Operator:
    """Block by block."""
    return a.map_blocks(rules.conjugate)._with(a.properties)


@rules.modulus2.register(BlockMatrix)
def modulus2_of_block_matrix(a: BlockMatrix) -> Operator:
    """Block by block."""
    return a.map_blocks(rules.modulus2)._with(properties(a.is_self_adjoint or None))


@rules.inverse.register(BlockMatrix)
def inverse_of_triangular_blocks(a: BlockMatrix) -> Operator:
    """By substitution, if A is block triangular."""
    return NotImplemented if a.triangle() is None else BlockSubstitution(a)


@rules.slogdet.register(BlockMatrix)
def slogdet_of_triangular_blocks(a: BlockMatrix) -> tuple[Array, Array]:
    """Π det A_ii, if A is block triangular."""
    return NotImplemented if a.triangle() is None else slogdet_of_blocks(a.diagonal_blocks)


@rules.trace.register(BlockMatrix)
def trace_of_block_matrix(a: BlockMatrix) -> Array:
    """Σ tr A_ii, if the diagonal blocks are square."""
    return reduce(add, (block.trace() for block in a.diagonal_blocks)) if a._is_aligned() else NotImplemented


@rules.diagonal.register(BlockMatrix)
def diagonal_of_block_matrix(a: BlockMatrix) -> Array:
    """The diagonals one after the other, if the diagonal blocks are square."""
    if not a._is_aligned():
        return NotImplemented
    return a.kind.xp.concat([block.diagonal() for block in a.diagonal_blocks], axis=-1)


@rules.norm.register(BlockMatrix)
def norm_of_block_matrix(a: BlockMatrix) -> Array:
    """(Σ ‖A_ij‖²)^½."""
    return root_sum_squares(a.kind.xp.stack([block.norm() for block in a.parts]), axis=0)


@rules.to_dense.register(BlockMatrix)
def block_matrix_to_dense(a: BlockMatrix) -> Array:
    """Join the arrays."""
    xp = a.kind.xp
    rows = [xp.concat([block.to_dense() for block in row], axis=-1) for row in a.blocks]
    return xp.concat(rows, axis=-2)
