"""BlockSubstitution: the inverse of a block triangular operator, block after block."""

from collections.abc import Sequence
from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.arrays import Array, SingularMatrixError
from kronlin.operators.dense import Dense, no_inverse
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.stacks import split_rows

Step = tuple[int, list[tuple[int, Operator]]]
"""The number of a block row, and its blocks off the diagonal with their numbers."""


class BlockSubstitution(Operator):
    """A⁻¹ of a block triangular A: x_i = A_ii⁻¹ (b_i - Σ_j A_ij x_j), row after row.

    An application costs one product with each block off the diagonal and one with each A_ii⁻¹. A is a `BlockMatrix`
    or a `BlockTridiagonal`, and its own `inverse()` gives this operator.

    Args:
        base: A, whose diagonal blocks are square and have inverses.

    Raises:
        ValueError: A is not block triangular.
        SingularMatrixError: a diagonal block has no inverse; the error names it.

    >>> import numpy as np, kronlin as kl
    >>> A = kl.BlockMatrix([[2 * np.eye(2), None], [np.ones((1, 2)), np.eye(1)]])
    >>> A.inverse()
    BlockSubstitution(3×3, float64: BlockMatrix(3×3))
    >>> A.inverse() @ np.array([2.0, 4.0, 5.0])
    array([1., 2., 2.])

    Source: Golub and Van Loan, "Matrix Computations", section 3.1.
    """

    _stackable = False

    def __init__(self, base: Any) -> None:
        if base.triangle() is None:
            raise ValueError(f"{base!r} is not block triangular with square diagonal blocks: use A.inverse()")
        self._setup(base, *(pivot_inverse(base, place, block) for place, block in enumerate(base.diagonal_blocks)))

    def _setup(self, base: Any, *inverses: Operator) -> None:
        self.base = base
        self.inverses = inverses
        self.steps: list[Step] = base.triangle()
        self._define(base, *inverses, shape=base.shape)

    @property
    def _inside(self) -> str:
        summary: str = self.base._summary
        return summary

    def _matmat(self, x: Array) -> Array:
        pieces = split_rows(x, [inverse.shape[0] for inverse in self.inverses])
        for i, row in self.steps:
            right = pieces[i]
            for j, block in row:
                right = right - block._matmat(pieces[j])
            pieces[i] = self.inverses[i]._matmat(right)
        return self.kind.xp.concat(pieces, axis=-2)


def pivot_inverse(a: Operator, place: int, pivot: Operator, before: Operator | None = None) -> Operator:
    """Return the inverse of a pivot, or say which diagonal block of A has none.

    Args:
        a: the operator that is factored, for the error.
        place: the number of its diagonal block.
        pivot: what elimination has left of the block.
        before: the block itself, if something was subtracted: a pivot that is rounding error beside it is singular.
    """
    try:
        inverse: Operator = pivot.inverse()
        if isinstance(before, Dense) and isinstance(inverse, Dense):
            growth = float(before.norm()) * float(inverse.norm())
            if growth * 4 * a.kind.eps >= 1:
                raise SingularMatrixError(no_inverse(pivot, "elimination has left rounding errors alone"))
    except SingularMatrixError as error:
        raise SingularMatrixError(f"{a!r}: diagonal block {place} cannot be eliminated, {error}") from None
    return inverse


def loses_digits(a: Operator, inverse: Operator) -> bool:
    """Whether to eliminate with this inverse of a pivot costs half of the digits, and a dense method of A would not.

    Elimination without interchanges multiplies rounding errors by ‖A‖ ‖pivot⁻¹‖, unless A is pd.
    """
    if a.is_pd or a.shape[0] > DENSE_LIMIT:
        return False
    return float(a.norm()) * float(inverse.norm()) * a.kind.eps**0.5 >= 1


def slogdet_of_blocks(blocks: Sequence[Operator]) -> tuple[Array, Array]:
    """Return the sign and the logarithm of the product of the blocks' determinants."""
    sign, logarithm = blocks[0].slogdet()
    for block in blocks[1:]:
        more = block.slogdet()
        sign, logarithm = sign * more[0], logarithm + more[1]
    return sign, logarithm


@rules.adjoint.register(BlockSubstitution)
def adjoint_of_substitution(a: BlockSubstitution) -> Operator:
    """(A⁻¹)ᴴ = (Aᴴ)⁻¹, from the same inverses of blocks."""
    return BlockSubstitution._make(a.base.H, *(inverse.H for inverse in a.inverses))


@rules.conjugate.register(BlockSubstitution)
def conjugate_of_substitution(a: BlockSubstitution) -> Operator:
    """Conjugate A."""
    return BlockSubstitution._make(rules.conjugate(a.base), *map(rules.conjugate, a.inverses))


@rules.inverse.register(BlockSubstitution)
def inverse_of_substitution(a: BlockSubstitution) -> Operator:
    """(A⁻¹)⁻¹ = A."""
    base: Operator = a.base
    return base


@rules.slogdet.register(BlockSubstitution)
def slogdet_of_substitution(a: BlockSubstitution) -> tuple[Array, Array]:
    """det A⁻¹ = Π det A_ii⁻¹."""
    return slogdet_of_blocks(a.inverses)


@rules.diagonal.register(BlockSubstitution)
def diagonal_of_substitution(a: BlockSubstitution) -> Array:
    """The diagonal blocks of A⁻¹ are A_ii⁻¹."""
    return a.kind.xp.concat([inverse.diagonal() for inverse in a.inverses], axis=-1)
