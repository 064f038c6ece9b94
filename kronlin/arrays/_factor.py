"""Factorisations of stacks of matrices, with a ladder from single to double precision.

All functions take (..., n, n) and factor every matrix of the stack in one call where the library can.
"""

from collections.abc import Callable

from kronlin.arrays._elementary import abs2, adjoint, cast, diagonal_of, hermitian_part
from kronlin.arrays._errors import NotPositiveDefiniteError, SingularMatrixError
from kronlin.arrays._kind import kind
from kronlin.arrays._libraries import lookup
from kronlin.arrays.library import Array


def eigh(a: Array) -> tuple[Array, Array]:
    """Return w ascending (..., n) and Q (..., n, n) with A = Q diag(w) Qᴴ, computed in double precision."""
    own = kind(a)
    w, q = own.xp.linalg.eigh(hermitian_part(cast(a, own.double)))
    return cast(w, own.real), cast(q, own)


def cholesky(a: Array) -> Array:
    """Return the lower triangular L with A = L Lᴴ.

    Raises:
        NotPositiveDefiniteError: a pivot is not positive.
        SingularMatrixError: a pivot is rounding error beside its diagonal entry.
    """
    own = kind(a)
    for precision in (own,) if own.double == own else (own, own.double):
        matrix = hermitian_part(cast(a, precision))
        factor = _guarded(precision.xp.linalg.cholesky, matrix)
        smallest = None if factor is None else _smallest_pivot(matrix, factor)
        if smallest is not None and smallest > a.shape[-1] * precision.eps:
            return cast(factor, own)
    if smallest is None:
        raise NotPositiveDefiniteError("a pivot of the Cholesky factorisation is not positive")
    raise SingularMatrixError(f"a pivot is only {smallest:.1e} of its diagonal entry, which is rounding error")


def solve_triangular(lower: Array, b: Array, *, adjoint: bool = False) -> Array:
    """Solve L x = b, or Lᴴ x = b, for b of shape (..., n, k)."""
    return lookup(lower)[1].solve_triangular(lower, b, adjoint=adjoint)


def solve_cholesky(lower: Array, b: Array) -> Array:
    """Solve L Lᴴ x = b for b of shape (..., n, k)."""
    return solve_triangular(lower, solve_triangular(lower, b), adjoint=True)


def inverse_positive(a: Array) -> Array:
    """Return A⁻¹ of a Hermitian positive definite A, itself Hermitian to the last bit.

    A badly conditioned single-precision A is inverted in double precision and cast back.
    """
    own = kind(a)
    factor = cholesky(a)
    if own.double != own and _looks_ill_conditioned(factor, own.eps):
        return cast(inverse_positive(cast(a, own.double)), own)
    half = solve_triangular(factor, _eye_like(factor))
    return _checked_inverse(a, hermitian_part(adjoint(half) @ half))


def inverse_general(a: Array) -> Array:
    """Return A⁻¹ of any square A by LU, computed in double precision."""
    own = kind(a)
    wide = cast(a, own.double)
    inverse = _guarded(own.xp.linalg.inv, wide)
    if inverse is None:
        raise SingularMatrixError("the matrix is exactly singular")
    return cast(_checked_inverse(wide, inverse), own)


def solve_general(a: Array, b: Array) -> Array:
    """Solve A x = b for a square A by LU; raise SingularMatrixError if a pivot vanishes."""
    xp = lookup(a)[0]
    solution = _guarded(lambda matrix: xp.linalg.solve(matrix, b), a)
    if solution is None:
        raise SingularMatrixError("the matrix is exactly singular")
    return solution


def logdet_cholesky(lower: Array) -> Array:
    """Return log det(L Lᴴ), real, of shape (...)."""
    xp = lookup(lower)[0]
    return xp.sum(xp.log(abs2(diagonal_of(lower))), axis=-1)


def _guarded(function: Callable[[Array], Array], a: Array) -> Array | None:
    """Call `function(a)`; None where the library raises its LAPACK error or answers with NaN."""
    xp, library = lookup(a)
    try:
        result = function(a)
    except library.linalg_errors:
        return None
    return result if bool(xp.all(xp.isfinite(result))) else None


def _smallest_pivot(a: Array, lower: Array) -> float:
    """The smallest pivot relative to its diagonal entry; it does not change when A is scaled to D A D."""
    xp = lookup(a)[0]
    if 0 in lower.shape:
        return 1.0
    return float(xp.min(abs2(diagonal_of(lower)) / xp.abs(diagonal_of(a))))


def _eye_like(a: Array) -> Array:
    """The identity, repeated over the leading axes of `a`."""
    own = kind(a)
    return own.xp.broadcast_to(own.eye(a.shape[-1]), a.shape)


def _looks_ill_conditioned(lower: Array, eps: float) -> bool:
    """Whether the pivots alone show a condition number above 1 / sqrt(eps)."""
    xp = lookup(lower)[0]
    pivots = abs2(diagonal_of(lower))
    if 0 in pivots.shape:
        return False
    return bool(xp.any(xp.min(pivots, axis=-1) < eps**0.5 * xp.max(pivots, axis=-1)))


def _checked_inverse(a: Array, inverse: Array) -> Array:
    """Return `inverse`, or raise if ‖A‖ ‖A⁻¹‖ shows that no digit of it is right."""
    own = kind(a)
    xp = own.xp
    if 0 in a.shape:
        return inverse
    condition = xp.max(xp.sum(xp.abs(a), axis=-1), axis=-1) * xp.max(xp.sum(xp.abs(inverse), axis=-1), axis=-1)
    worst = float(xp.max(condition))
    if not worst * own.eps < 1:
        raise SingularMatrixError(f"the condition number is about {worst:.1e}, beyond 1/eps = {1 / own.eps:.1e}")
    return inverse
