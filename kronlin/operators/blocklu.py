"""Block LU: the inverse and the determinant of a block tridiagonal operator."""

from typing import NamedTuple

from kronlin.algebra import Identity, Operator, Product, rules
from kronlin.arrays import Array, SingularMatrixError
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.blocktridiagonal import BlockTridiagonal
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.refinement import refined
from kronlin.operators.substitution import loses_digits, pivot_inverse, slogdet_of_blocks


class BlockLU(NamedTuple):
    """A = (I + L̂) diag(S) (I + Û): pivots S_l, blocks L̂_l = L_l S_l⁻¹ and Û_l = S_l⁻¹ U_l beside the diagonal."""

    pivots: tuple[Operator, ...]
    left: BlockTridiagonal | None
    """I + L̂; None for a self-adjoint A, where it is (I + Û)ᴴ."""
    right: BlockTridiagonal


def factor(a: BlockTridiagonal) -> BlockLU:
    """Eliminate block after block, each a formula over operators that keeps what structure its rules can.

    Raises:
        SingularMatrixError: a pivot that is not the last one has no inverse, or A is small and one would cost digits.
    """
    known = a.properties.promise
    diagonal, upper, lower = a.diagonal_blocks, a.upper_blocks, a.lower_blocks
    pivots, rights, lefts = [diagonal[0]._with(known)], [], []
    for place, (beside, beneath) in enumerate(zip(upper, lower, strict=True)):
        try:
            inverse = pivot_inverse(a, place, pivots[place], diagonal[place] if place else None)
        except SingularMatrixError as error:
            advice = "if A has an inverse all the same, only a dense method finds it, and A is too large for one"
            raise SingularMatrixError(f"{error}; {advice}") from None
        if loses_digits(a, inverse):
            raise SingularMatrixError(f"{a!r}: diagonal block {place} is nearly singular when it is eliminated")
        rights.append(inverse @ beside)
        if not known.self_adjoint:
            lefts.append(beneath @ inverse)
        pivots.append((diagonal[place + 1] - beneath @ rights[place])._with(known))
    ones = [Identity(n, like=a) for n in a.sizes]
    left = None if known.self_adjoint else BlockTridiagonal(ones, None, lefts)
    return BlockLU(tuple(pivots), left, BlockTridiagonal(ones, rights, None))


def _kept_factors(a: BlockTridiagonal) -> BlockLU:
    factors: BlockLU = a._once("factors", lambda: factor(a))
    return factors


@rules.inverse.register(BlockTridiagonal, level=-1)
def inverse_by_block_lu(a: BlockTridiagonal) -> Operator:
    """A⁻¹ = (I + Û)⁻¹ diag(S)⁻¹ (I + L̂)⁻¹, a congruence if A is self-adjoint.

    A regular A can have a singular pivot; if it is small, it is left to the dense method, which interchanges rows.
    """
    try:
        pivots, left, right = _kept_factors(a)
    except SingularMatrixError:
        if a.shape[0] <= DENSE_LIMIT:
            return NotImplemented
        raise
    last = pivot_inverse(a, len(pivots) - 1, pivots[-1], a.diagonal_blocks[-1])
    middle = BlockDiagonal([*(pivot.inverse() for pivot in pivots[:-1]), last])
    outer = right.inverse()
    return Product(outer, middle, outer.H if left is None else left.inverse())


@rules.solve.register(BlockTridiagonal, level=-1)
def solve_by_block_lu(a: BlockTridiagonal, b: Array) -> Array:
    """Eliminate, then refine: elimination without interchanges loses digits."""
    return refined(a, a.inverse()._matmat, b)


@rules.slogdet.register(BlockTridiagonal, level=-1)
def slogdet_by_block_lu(a: BlockTridiagonal) -> tuple[Array, Array]:
    """det A = Π det S_l, if no pivot but the last one is singular."""
    try:
        return slogdet_of_blocks(_kept_factors(a).pivots)
    except SingularMatrixError:
        return NotImplemented
