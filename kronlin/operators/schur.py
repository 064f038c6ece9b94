"""Schur: the inverse and the determinant of a 2×2 block matrix from its first block and what that leaves."""

from typing import NamedTuple

from kronlin.algebra import Identity, Operator, Product, rules
from kronlin.arrays import Array, NotPositiveDefiniteError, SingularMatrixError
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.blockmatrix import BlockMatrix
from kronlin.operators.dense import Dense
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.refinement import refined
from kronlin.operators.substitution import loses_digits, pivot_inverse, slogdet_of_blocks


class Elimination(NamedTuple):
    """A = [[I, 0], [L, I]] diag(A₁₁, S) [[I, R], [0, I]] with R = A₁₁⁻¹ A₁₂, L = A₂₁ A₁₁⁻¹, S = A₂₂ - A₂₁ R."""

    pivot: Operator
    right: Operator
    complement: Operator


def eliminate(a: BlockMatrix) -> Elimination | None:
    """Eliminate the first block of a 2×2 block matrix; None where that is not the way to factor A.

    An A₁₁ that is a mere array gives nothing that a dense factorisation of A, which may pivot across blocks, would
    not give: that is left to the dense method, unless A is too large for it or is pd, where no pivoting is needed.
    """
    if not a._is_aligned() or len(a.blocks) != 2:
        return None
    (a11, a12), (a21, a22) = a.blocks
    if isinstance(a11, Dense) and not a.is_pd and a.shape[0] <= DENSE_LIMIT:
        return None
    known = a.properties.promise
    pivot = a11._with(known)
    try:
        inverse = pivot.inverse()
    except (NotPositiveDefiniteError, SingularMatrixError):
        return None
    if loses_digits(a, inverse):
        return None
    right = inverse @ a12
    return Elimination(pivot, right, (a22 - a21 @ right)._with(known))


def _kept_elimination(a: BlockMatrix) -> Elimination | None:
    return a._once("schur", lambda: eliminate(a) or False) or None


@rules.inverse.register(BlockMatrix, level=-1)
def inverse_by_schur_complement(a: BlockMatrix) -> Operator:
    """A⁻¹ = [[I, -R], [0, I]] diag(A₁₁⁻¹, S⁻¹) [[I, 0], [-L, I]]."""
    found = _kept_elimination(a)
    if found is None:
        return NotImplemented
    pivot = found.pivot.inverse()
    eye, small_eye = (Identity(n, like=a) for n in a.row_sizes)
    upper = BlockMatrix([[eye, -found.right], [None, small_eye]])
    lower = upper.H if a.is_self_adjoint else BlockMatrix([[eye, None], [-(a.blocks[1][0] @ pivot), small_eye]])
    return Product(upper, BlockDiagonal([pivot, pivot_inverse(a, 1, found.complement, a.blocks[1][1])]), lower)


@rules.solve.register(BlockMatrix, level=-1)
def solve_by_schur_complement(a: BlockMatrix, b: Array) -> Array:
    """Eliminate, then refine: elimination without interchanges loses digits."""
    return refined(a, a.inverse()._matmat, b)


@rules.slogdet.register(BlockMatrix, level=-1)
def slogdet_by_schur_complement(a: BlockMatrix) -> tuple[Array, Array]:
    """det A = det A₁₁ det S."""
    found = _kept_elimination(a)
    return NotImplemented if found is None else slogdet_of_blocks([found.pivot, found.complement])
