"""BlockTridiagonal: blocks on the diagonal and beside it."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from kronlin.algebra import Operator, Properties, Scaled, Sum, Zero, rules
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, root_sum_squares
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.blockmatrix import are_twins, known_from_diagonal
from kronlin.operators.substitution import BlockSubstitution, Step


class BlockTridiagonal(Operator):
    """D_l on the diagonal, U_l to the right of D_l and L_l below it; all other blocks are zero.

    Each of the three bands is a `BlockDiagonal`, so equal blocks are multiplied in one call. The inverse and the
    determinant are exact: by block substitution if one band is absent, else by A = (I + L̂) diag(S) (I + Û) with
    S₁ = D₁ and S_{l+1} = D_{l+1} - L_l S_l⁻¹ U_l, one inverse a block, without pivoting between blocks. That is
    stable if A is pd or block diagonally dominant; a pivot S_l that is singular is an error which names l.

    Args:
        diagonal: operators or arrays D_0, …, D_{L-1}, square, of sizes n_l that may differ.
        upper: L - 1 operators or arrays U_l of shape (n_l, n_{l+1}), an entry None for a block of zeros; None for
            no band at all.
        lower: likewise L_l of shape (n_{l+1}, n_l); "adjoint" (the default) for L_l = U_lᴴ, so that A is known to be
            self-adjoint if all D_l are; None for no band at all.

    Raises:
        ValueError: a block is of the wrong shape, which the error names, or kinds differ.

    >>> import numpy as np
    >>> A = BlockTridiagonal([2 * np.eye(1)] * 3, [-np.eye(1)] * 2)
    >>> A.solve(np.array([1.0, 0.0, 1.0]))
    array([1., 1., 1.])
    >>> BlockTridiagonal([np.eye(2)] * 3, [np.eye(2)] * 2, None).inverse()
    BlockSubstitution(6×6, float64: BlockTridiagonal(6×6))

    Source: Golub and Van Loan, "Matrix Computations" (2013), section 4.5.1.
    """

    _stackable = False

    def __init__(
        self,
        diagonal: Iterable[Any],
        upper: Iterable[Any] | None = None,
        lower: Iterable[Any] | str | None = "adjoint",
    ) -> None:
        blocks = [rules.wrap(block) for block in diagonal]
        if not blocks:
            raise ValueError("BlockTridiagonal takes at least one diagonal block")
        for place, block in enumerate(blocks):
            if block.shape[0] != block.shape[1]:
                raise ValueError(f"BlockTridiagonal: diagonal block {place} is {_times(block.shape)}, not square")
        if isinstance(lower, str) and lower != "adjoint":
            raise ValueError(f'BlockTridiagonal: lower is "adjoint", None or a list of blocks, not {lower!r}')
        sizes = [block.shape[0] for block in blocks]
        above = checked_band("upper", upper, list(pairwise(sizes)))
        below = [] if isinstance(lower, str) else checked_band("lower", lower, [(n, m) for m, n in pairwise(sizes)])
        if above and below and all(map(_are_adjoint_blocks, above, below)):
            lower, below = "adjoint", []
        count = len(blocks)
        blocks = list(promote("a block-tridiagonal operator", *blocks, *filter(None, above), *filter(None, below)))
        like, rest = blocks[0], iter(blocks[count:])
        upper_band = _band(above, rest, sizes[:-1], sizes[1:], like)
        lower_band = upper_band.H if isinstance(lower, str) else _band(below, rest, sizes[1:], sizes[:-1], like)
        self._setup(BlockDiagonal.of_blocks(blocks[:count]), upper_band, lower_band)

    def _setup(self, on: BlockDiagonal, above: Operator, below: Operator) -> None:
        self.on = on
        self.above = above
        self.below = below
        self._define(on, above, below, shape=on.shape)

    @property
    def sizes(self) -> list[int]:
        """The sizes n_l of the diagonal blocks."""
        return self.on.rows.sizes

    @property
    def diagonal_blocks(self) -> tuple[Operator, ...]:
        """The blocks D_l."""
        return self.on.blocks

    @property
    def upper_blocks(self) -> tuple[Operator, ...]:
        """The blocks U_l; empty if the band is absent."""
        return self.above.blocks if isinstance(self.above, BlockDiagonal) else ()

    @property
    def lower_blocks(self) -> tuple[Operator, ...]:
        """The blocks L_l; empty if the band is absent."""
        return self.below.blocks if isinstance(self.below, BlockDiagonal) else ()

    @property
    def _inside(self) -> str:
        return f"{len(self.sizes)}×{len(self.sizes)} blocks"

    def _derive(self) -> Properties:
        known = self.on.properties
        if isinstance(self.above, Zero) and isinstance(self.below, Zero):
            return known
        return known_from_diagonal([known], are_twins(self.above, self.below))

    def triangle(self) -> list[Step] | None:
        """The rows in the order in which a block bidiagonal system is solved; None if both bands are there."""
        count, upper, lower = len(self.sizes), self.upper_blocks, self.lower_blocks
        if isinstance(self.above, Zero):
            return [(i, [(i - 1, lower[i - 1])] if i and lower else []) for i in range(count)]
        if isinstance(self.below, Zero):
            return [(i, [(i + 1, upper[i])] if i + 1 < count else []) for i in reversed(range(count))]
        return None

    def _matmat(self, x: Array) -> Array:
        xp = self.kind.xp
        head, tail = self.sizes[0], self.shape[0] - self.sizes[-1]
        y = self.on._matmat(x)
        if not isinstance(self.above, Zero):
            y = xp.concat([y[..., :tail, :] + self.above._matmat(x[..., head:, :]), y[..., tail:, :]], axis=-2)
        if not isinstance(self.below, Zero):
            y = xp.concat([y[..., :head, :], y[..., head:, :] + self.below._matmat(x[..., :tail, :])], axis=-2)
        return y

    def _map_bands(self, function: Callable[[Operator], Any]) -> "BlockTridiagonal":
        """Apply a function that commutes with the adjoint to each band; bands that are adjoints remain so."""
        above = function(self.above)
        below = above.H if are_twins(self.above, self.below) else function(self.below)
        return BlockTridiagonal._make(function(self.on), above, below)


def checked_band(name: str, blocks: Iterable[Any] | None, shapes: list[tuple[int, int]]) -> list[Operator | None]:
    """Wrap the blocks of a band and check their number and shapes; none for a band that is absent."""
    if blocks is None:
        return []
    band = [None if block is None else rules.wrap(block) for block in blocks]
    if len(band) != len(shapes):
        raise ValueError(
            f"BlockTridiagonal: {len(shapes) + 1} diagonal blocks go with {len(shapes)} {name} blocks, not {len(band)}"
        )
    for place, (block, shape) in enumerate(zip(band, shapes, strict=True)):
        if block is not None and block.shape != shape:
            raise ValueError(
                f"BlockTridiagonal: {name} block {place} is {_times(block.shape)}, where the diagonal blocks ask for "
                f"{_times(shape)}"
            )
    return band


def _are_adjoint_blocks(one: Operator | None, two: Operator | None) -> bool:
    return one is two if one is None or two is None else are_twins(one, two)


def _times(shape: tuple[int, int]) -> str:
    return f"{shape[0]}×{shape[1]}"


def _band(given: list[Operator | None], wrapped: Any, rows: list[int], columns: list[int], like: Operator) -> Operator:
    """A band as one operator from the blocks in the common kind; zeros where no block is given."""
    if not given:
        return Zero((sum(rows), sum(columns)), like=like)
    pairs = zip(given, zip(rows, columns, strict=True), strict=True)
    return BlockDiagonal.of_blocks(Zero(shape, like=like) if block is None else next(wrapped) for block, shape in pairs)


@rules.add.register(BlockTridiagonal, BlockTridiagonal)
def add_block_tridiagonals(a: BlockTridiagonal, b: BlockTridiagonal) -> Operator:
    """Band by band, where the cuts agree."""
    if a.sizes != b.sizes:
        return NotImplemented
    above = a.above + b.above
    paired = are_twins(a.above, a.below) and are_twins(b.above, b.below)
    total = BlockTridiagonal._make(a.on + b.on, above, above.H if paired else a.below + b.below)
    return total._with(Sum(a, b)._derive())


@rules.add.register(BlockTridiagonal, BlockDiagonal)
def add_block_diagonal_right(a: BlockTridiagonal, b: BlockDiagonal) -> Operator:
    """Add to the diagonal blocks, where the cuts agree."""
    if a.sizes != b.rows.sizes or a.sizes != b.columns.sizes:
        return NotImplemented
    return BlockTridiagonal._make(a.on + b, a.above, a.below)._with(Sum(a, b)._derive())


@rules.add.register(BlockDiagonal, BlockTridiagonal)
def add_block_diagonal_left(a: BlockDiagonal, b: BlockTridiagonal) -> Operator:
    """Add to the diagonal blocks, where the cuts agree."""
    return add_block_diagonal_right(b, a)


@rules.scale.register(BlockTridiagonal)
def scale_block_tridiagonal(a: BlockTridiagonal, factor: complex) -> Operator:
    """Band by band."""
    if factor.imag:
        return NotImplemented
    return a._map_bands(lambda band: rules.scale(band, factor))._with(Scaled(a, factor=factor)._derive())


@rules.shift.register(BlockTridiagonal)
def shift_block_tridiagonal(a: BlockTridiagonal, c: complex) -> Operator:
    """Shift the diagonal blocks."""
    return NotImplemented if c.imag else BlockTridiagonal._make(a.on._shifted(c), a.above, a.below)


@rules.adjoint.register(BlockTridiagonal)
def adjoint_of_block_tridiagonal(a: BlockTridiagonal) -> Operator:
    """The bands change places."""
    return BlockTridiagonal._make(a.on.H, a.below.H, a.above.H)


@rules.conjugate.register(BlockTridiagonal)
def conjugate_of_block_tridiagonal(a: BlockTridiagonal) -> Operator:
    """Band by band."""
    return a._map_bands(rules.conjugate)._with(a.properties)


@rules.modulus2.register(BlockTridiagonal)
def modulus2_of_block_tridiagonal(a: BlockTridiagonal) -> Operator:
    """Band by band."""
    return a._map_bands(rules.modulus2)


@rules.inverse.register(BlockTridiagonal)
def inverse_of_block_bidiagonal(a: BlockTridiagonal) -> Operator:
    """By substitution, if a band is absent."""
    return NotImplemented if a.triangle() is None else BlockSubstitution(a)


@rules.slogdet.register(BlockTridiagonal)
def slogdet_of_block_bidiagonal(a: BlockTridiagonal) -> tuple[Array, Array]:
    """Π det D_l, if a band is absent."""
    return NotImplemented if a.triangle() is None else a.on.slogdet()


@rules.trace.register(BlockTridiagonal)
def trace_of_block_tridiagonal(a: BlockTridiagonal) -> Array:
    """Σ tr D_l."""
    return a.on.trace()


@rules.diagonal.register(BlockTridiagonal)
def diagonal_of_block_tridiagonal(a: BlockTridiagonal) -> Array:
    """The diagonals of the D_l."""
    return a.on.diagonal()


@rules.norm.register(BlockTridiagonal)
def norm_of_block_tridiagonal(a: BlockTridiagonal) -> Array:
    """The norms of the bands, joined."""
    return root_sum_squares(a.kind.xp.stack([band.norm() for band in a.parts]), axis=0)


@rules.to_dense.register(BlockTridiagonal)
def block_tridiagonal_to_dense(a: BlockTridiagonal) -> Array:
    """Put the bands where they belong."""
    xp, n, head, tail = a.kind.xp, a.shape[0], a.sizes[0], a.sizes[-1]
    above = xp.concat([a.kind.zeros(n - tail, head), a.above.to_dense()], axis=1)
    below = xp.concat([a.below.to_dense(), a.kind.zeros(n - head, tail)], axis=1)
    above = xp.concat([above, a.kind.zeros(tail, n)], axis=0)
    return a.on.to_dense() + above + xp.concat([a.kind.zeros(head, n), below], axis=0)
