"""BlockDiagonal: independent blocks, equal ones computed together."""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import add, matmul
from typing import Any

from kronlin.algebra import Operator, Properties, rules
from kronlin.algebra.properties import every, properties
from kronlin.algebra.sidebyside import side_by_side
from kronlin.algebra.structure import promote, unstack
from kronlin.arrays import Array, root_sum_squares
from kronlin.operators.buckets import bucketed
from kronlin.operators.dense import Dense
from kronlin.operators.partition import Partition
from kronlin.operators.spectral import Spectral
from kronlin.operators.stacks import HStack, VStack, small_buckets


class BlockDiagonal(Operator):
    """diag(A₁, A₂, …), rectangular blocks allowed.

    Blocks of equal type and shape are stacked once into a bucket, and every rule (product, inverse, eigh, …) runs
    once a bucket, on all of its blocks in one call.

    Args:
        blocks: operators or arrays; block diagonal ones are opened.

    Raises:
        ValueError: there is no block, or kinds differ.

    >>> import numpy as np
    >>> BlockDiagonal([np.eye(2), np.ones((1, 2))])
    BlockDiagonal(3×4, float64: Dense(2×2), Dense(1×2))

    Source: the block structure of K-FAC: Martens and Grosse, arXiv 1503.05671, section 4.2.
    """

    _stackable = False

    def __init__(self, blocks: Iterable[Any]) -> None:
        opened: list[Operator] = []
        for block in map(rules.wrap, blocks):
            opened.extend(block.blocks if isinstance(block, BlockDiagonal) else [block])
        if not opened:
            raise ValueError("BlockDiagonal takes at least one block")
        buckets, members = bucketed(promote("a block-diagonal operator", *opened))
        self._setup(*buckets, members=members)

    @classmethod
    def of_blocks(cls, blocks: Iterable[Operator]) -> "BlockDiagonal":
        """Make one from operators of one kind whose cuts are kept: a block that is block diagonal is not opened."""
        buckets, members = bucketed(blocks)
        return cls._make(*buckets, members=members)

    def _setup(self, *buckets: Operator, members: tuple[tuple[int, ...], ...]) -> None:
        self.buckets = buckets
        self.members = members
        kind = buckets[0].kind
        self.rows = Partition([bucket.shape[0] for bucket in buckets], members, kind)
        self.columns = Partition([bucket.shape[1] for bucket in buckets], members, kind)
        self._define(*buckets, shape=(self.rows.total, self.columns.total), members=members)

    @property
    def blocks(self) -> tuple[Operator, ...]:
        """The blocks in order; views of the buckets where the library has views."""

        def take_apart() -> tuple[Operator, ...]:
            blocks: dict[int, Operator] = {}
            for bucket, group in zip(self.buckets, self.members, strict=True):
                for place, position in enumerate(group):
                    blocks[position] = bucket if len(group) == 1 else unstack(bucket, place)
            return tuple(blocks[position] for position in range(len(blocks)))

        taken: tuple[Operator, ...] = self._once("blocks", take_apart)
        return taken

    def _derive(self) -> Properties:
        if not self._is_square():
            return Properties()
        answers = zip(*(bucket.properties for bucket in self.buckets), strict=True)
        return properties(*(False if False in each else every(list(each)) for each in answers))

    @property
    def _inside(self) -> str:
        names = {}
        for bucket, group in zip(self.buckets, self.members, strict=True):
            names.update(dict.fromkeys(group, bucket._summary))
        shown = [names[position] for position in range(min(len(names), 2))]
        return ", ".join([*shown, "…"] if len(names) > 2 else shown)

    def _matmat(self, x: Array) -> Array:
        products = [bucket._matmat(self.columns.gather(x, group)) for group, bucket in enumerate(self.buckets)]
        return self.rows.scatter(products)

    def map_blocks(self, function: Callable[[Any], Any]) -> "BlockDiagonal":
        """Apply a function from operator to operator to every bucket at once."""
        return BlockDiagonal._make(*(function(bucket) for bucket in self.buckets), members=self.members)

    def factor_blocks(self, function: Callable[[Any], Any]) -> "BlockDiagonal":
        """The same for a function that factors: an array library may work on several buckets side by side."""
        return BlockDiagonal._make(*side_by_side(function, self.buckets), members=self.members)

    def _per_block(self, function: Callable[[Operator], Array]) -> Array:
        """One number a block, bucket after bucket."""
        xp = self.kind.xp
        values = [xp.asarray(function(bucket)) for bucket in self.buckets]
        counts = map(len, self.members)
        return xp.concat([xp.broadcast_to(value, (n,)) for value, n in zip(values, counts, strict=True)])

    def _along_rows(self, function: Callable[[Operator], Array]) -> Array:
        """One vector a block, in the order of the rows."""
        return self.rows.scatter_vectors([function(bucket) for bucket in self.buckets])

    def _is_square(self) -> bool:
        return all(bucket.shape[0] == bucket.shape[1] for bucket in self.buckets)


def pairwise(a: BlockDiagonal, b: BlockDiagonal, function: Callable[[Any, Any], Any]) -> BlockDiagonal:
    """Join two block by block: by bucket where both are sorted alike, else block after block."""
    if a.members == b.members:
        joined = [function(left, right) for left, right in zip(a.buckets, b.buckets, strict=True)]
        return BlockDiagonal._make(*joined, members=a.members)
    return BlockDiagonal.of_blocks(function(left, right) for left, right in zip(a.blocks, b.blocks, strict=True))


@rules.compose.register(BlockDiagonal, BlockDiagonal)
def compose_block_diagonals(a: BlockDiagonal, b: BlockDiagonal) -> Operator:
    """Block by block, where the columns of A are cut like the rows of B."""
    if a.columns.sizes != b.rows.sizes:
        return NotImplemented
    return pairwise(a, b, matmul)


@rules.compose.register(BlockDiagonal, VStack)
def compose_block_diagonal_vstack(a: BlockDiagonal, b: VStack) -> Operator:
    """Block by block, where the cuts agree."""
    if a.columns.sizes != [operator.shape[0] for operator in b.operators]:
        return NotImplemented
    return VStack(block @ operator for block, operator in zip(a.blocks, b.operators, strict=True))


@rules.compose.register(HStack, BlockDiagonal)
def compose_hstack_block_diagonal(a: HStack, b: BlockDiagonal) -> Operator:
    """Block by block, where the cuts agree."""
    if b.rows.sizes != [operator.shape[1] for operator in a.operators]:
        return NotImplemented
    return HStack(operator @ block for operator, block in zip(a.operators, b.blocks, strict=True))


@rules.add.register(BlockDiagonal, BlockDiagonal)
def add_block_diagonals(a: BlockDiagonal, b: BlockDiagonal) -> Operator:
    """Block by block, where the cuts agree."""
    if a.rows.sizes != b.rows.sizes or a.columns.sizes != b.columns.sizes:
        return NotImplemented
    return pairwise(a, b, add)


@rules.gram.register(BlockDiagonal, BlockDiagonal)
def gram_of_block_diagonals(a: BlockDiagonal, b: BlockDiagonal) -> Array:
    """Block by block, where the rows are cut alike."""
    if a.rows.sizes != b.rows.sizes:
        return NotImplemented
    return pairwise(a, b, lambda left, right: Dense._make(rules.gram(left, right))).to_dense()


@rules.gram.register(VStack, BlockDiagonal)
def gram_of_vstack_and_block_diagonal(a: VStack, b: BlockDiagonal) -> Array:
    """[A₁ᴴ B₁ A₂ᴴ B₂ …], where the rows are cut alike; bucket by bucket where both are sorted alike."""
    if b.rows.sizes != [operator.shape[0] for operator in a.operators]:
        return NotImplemented
    buckets = small_buckets(a)
    if tuple(members for _, members in buckets) == b.members:
        pairs = zip(buckets, b.buckets, strict=True)
        turned = [a.kind.xp.matrix_transpose(rules.gram(left, right)) for (left, _), right in pairs]
        return a.kind.xp.matrix_transpose(b.columns.scatter(turned))
    grams = [rules.gram(operator, block) for operator, block in zip(a.operators, b.blocks, strict=True)]
    return a.kind.xp.concat(grams, axis=-1)


@rules.scale.register(BlockDiagonal)
def scale_block_diagonal(a: BlockDiagonal, factor: complex) -> Operator:
    """Block by block."""
    if factor.imag:
        return NotImplemented
    return a.map_blocks(lambda block: rules.scale(block, factor))


@rules.shift.register(BlockDiagonal)
def shift_block_diagonal(a: BlockDiagonal, c: complex) -> Operator:
    """Block by block, if all are square."""
    return a.factor_blocks(lambda block: block._shifted(c)) if a._is_square() else NotImplemented


@rules.adjoint.register(BlockDiagonal)
def adjoint_of_block_diagonal(a: BlockDiagonal) -> Operator:
    """Block by block."""
    return a.map_blocks(lambda block: block.H)


@rules.conjugate.register(BlockDiagonal)
def conjugate_of_block_diagonal(a: BlockDiagonal) -> Operator:
    """Block by block."""
    return a.map_blocks(rules.conjugate)


@rules.modulus2.register(BlockDiagonal)
def modulus2_of_block_diagonal(a: BlockDiagonal) -> Operator:
    """Block by block."""
    return a.map_blocks(rules.modulus2)


@rules.inverse.register(BlockDiagonal)
def inverse_of_block_diagonal(a: BlockDiagonal) -> Operator:
    """Block by block, if all are square."""
    return a.factor_blocks(lambda block: block.inverse()) if a._is_square() else NotImplemented


@rules.pinv.register(BlockDiagonal)
def pinv_of_block_diagonal(a: BlockDiagonal) -> Operator:
    """Block by block."""
    return a.factor_blocks(lambda block: block.pinv())


@rules.power.register(BlockDiagonal)
def power_of_block_diagonal(a: BlockDiagonal, p: float) -> Operator:
    """Block by block, if all are square."""
    return a.factor_blocks(lambda block: block.power(p)) if a._is_square() else NotImplemented


@rules.solve.register(BlockDiagonal)
def solve_block_diagonal(a: BlockDiagonal, b: Array) -> Array:
    """Block by block, if all are square."""
    if not a._is_square():
        return NotImplemented
    return a.rows.scatter([rules.solve(bucket, a.rows.gather(b, i)) for i, bucket in enumerate(a.buckets)])


@rules.eigh.register(BlockDiagonal)
def eigh_of_block_diagonal(a: BlockDiagonal) -> Operator:
    """Eigenvectors block by block, if no block leaves a complement."""
    if not a._is_square():
        return NotImplemented
    parts = side_by_side(lambda bucket: bucket.eigh(), a.buckets)
    if any(part.deficit for part in parts):
        return NotImplemented
    basis = BlockDiagonal._make(*(part.Q for part in parts), members=a.members)
    return Spectral._make(basis, a.rows.scatter_vectors([part.w for part in parts]), rest=0.0)


@rules.trace.register(BlockDiagonal)
def trace_of_block_diagonal(a: BlockDiagonal) -> Array:
    """Σ tr A_l, if all blocks are square; a number for each bucket, which is little work beside that of a sum."""
    if not a._is_square():
        return NotImplemented
    found = [(rules.trace(bucket), len(group)) for bucket, group in zip(a.buckets, a.members, strict=True)]
    return reduce(add, (a.kind.xp.sum(one) if one.ndim else count * one for one, count in found))


@rules.diagonal.register(BlockDiagonal)
def diagonal_of_block_diagonal(a: BlockDiagonal) -> Array:
    """The diagonals one after the other, if all blocks are square."""
    return a._along_rows(lambda block: block.diagonal()) if a._is_square() else NotImplemented


@rules.norm.register(BlockDiagonal)
def norm_of_block_diagonal(a: BlockDiagonal) -> Array:
    """(Σ ‖A_l‖²)^½."""
    return root_sum_squares(a._per_block(lambda block: block.norm()), axis=0)


@rules.slogdet.register(BlockDiagonal)
def slogdet_of_block_diagonal(a: BlockDiagonal) -> tuple[Array, Array]:
    """The product of the blocks' determinants, if all are square."""
    if not a._is_square():
        return NotImplemented
    xp, found = a.kind.xp, {id(bucket): bucket.slogdet() for bucket in a.buckets}
    signs = xp.prod(a._per_block(lambda bucket: found[id(bucket)][0]))
    return signs, xp.sum(a._per_block(lambda bucket: found[id(bucket)][1]))


@rules.inner.register(BlockDiagonal, BlockDiagonal)
def inner_of_block_diagonals(a: BlockDiagonal, b: BlockDiagonal) -> Array:
    """Σ tr(A_lᴴ B_l), where the cuts agree."""
    if a.rows.sizes != b.rows.sizes or a.columns.sizes != b.columns.sizes:
        return NotImplemented
    pairs = zip(a.blocks, b.blocks, strict=True)
    return a.kind.xp.sum(a.kind.xp.stack([rules.inner(left, right) for left, right in pairs]))
