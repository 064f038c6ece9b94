"""Factorisations of stacks of matrices, with a ladder from single to double precision.

All functions take (..., n, n) and factor every matrix of the stack in one call where the library can.
"""

from collections.abc import Callable
from contextlib import suppress

from kronlin.arrays._elementary import abs2, cast, diagonal_of, hermitian_part, real_part
from kronlin.arrays._errors import NotPositiveDefiniteError, SingularMatrixError
from kronlin.arrays._kind import kind
from kronlin.arrays._libraries import lookup
from kronlin.arrays.library import Array


def eigh(a: Array) -> tuple[Array, Array]:
    """Return w ascending (..., n) and Q (..., n, n) with A = Q diag(w) Qᴴ, computed in double precision."""
    own = kind(a)
    w, q = eigh_own(cast(a, own.double))
    return cast(w, own.real), cast(q, own)


def eigh_own(a: Array) -> tuple[Array, Array]:
    """Return what `eigh` does, computed in the precision of A: the errors of w and of Q diag(w) Qᴴ are a few eps ‖A‖."""
    return lookup(a)[1].eigh(a)


def qr(a: Array) -> tuple[Array, Array]:
    """Return Q (..., n, r) with orthonormal columns and R (..., r, r) with A = Q R for n ≥ r, in double precision."""
    own = kind(a)
    q, r = own.xp.linalg.qr(cast(a, own.double))
    return cast(q, own), cast(r, own)


def cholesky(a: Array) -> Array:
    """Return the lower triangular L with A = L Lᴴ.

    Raises:
        NotPositiveDefiniteError: A, scaled to unit diagonal, has an eigenvalue below zero by more than rounding.
        SingularMatrixError: a pivot is rounding error beside its diagonal entry.
    """
    own = kind(a)
    for precision in (own,) if own.double == own else (own, own.double):
        matrix = cast(a, precision)
        smallest = None
        with suppress(*own.library.linalg_errors):
            factor = own.library.cholesky(matrix)
            smallest = _smallest_pivot(matrix, factor)
        if smallest is not None and smallest > a.shape[-1] * precision.eps:
            return cast(factor, own)
    if smallest is None or smallest != smallest:
        if _is_semidefinite(hermitian_part(matrix), own.eps):
            raise SingularMatrixError("a pivot of the Cholesky factorisation is zero, but for rounding error")
        raise NotPositiveDefiniteError("a pivot of the Cholesky factorisation is not positive")
    raise SingularMatrixError(f"a pivot is only {smallest:.1e} of its diagonal entry, which is rounding error")


def solve_triangular(lower: Array, b: Array, *, adjoint: bool = False) -> Array:
    """Solve L x = b, or Lᴴ x = b, for b of shape (..., n, k)."""
    return lookup(lower)[1].solve_triangular(lower, b, adjoint=adjoint)


def solve_cholesky(lower: Array, b: Array) -> Array:
    """Solve L Lᴴ x = b for b of shape (..., n, k)."""
    return solve_triangular(lower, solve_triangular(lower, b), adjoint=True)


def inverse_positive(a: Array, factor: Array | None = None) -> Array:
    """Return A⁻¹ of a Hermitian positive definite A, itself Hermitian to the last bit; `factor` is its Cholesky factor.

    A badly conditioned single-precision A is inverted in double precision and cast back.
    """
    own = kind(a)
    factor = cholesky(a) if factor is None else factor
    inverse = own.library.inverse_cholesky(factor)
    condition = _condition(a, inverse)
    if own.double != own and not condition * own.eps**0.5 < 1:
        return cast(inverse_positive(cast(a, own.double)), own)
    return _checked_inverse(inverse, condition)


def inverse_general(a: Array) -> Array:
    """Return A⁻¹ of any square A by LU, computed in double precision."""
    own = kind(a)
    wide = cast(a, own.double)
    inverse = _guarded(own.xp.linalg.inv, wide)
    if inverse is None:
        raise SingularMatrixError("the matrix is exactly singular")
    return cast(_checked_inverse(inverse, _condition(wide, inverse)), own)


def solve_general(a: Array, b: Array) -> Array:
    """Solve A x = b for a square A by LU; raise SingularMatrixError if ‖A‖ ‖x‖ / ‖b‖ shows that no digit is right.

    In single precision a system that would lose half of its digits is solved in double precision and cast back.
    """
    own = kind(a)
    solution = _guarded(lambda matrix: own.xp.linalg.solve(matrix, b), a)
    growth = float("inf") if solution is None else _growth(a, solution, b)
    if own.double != own and not growth * own.eps**0.5 < 1:
        return cast(solve_general(cast(a, own.double), cast(b, own.double)), own)
    if solution is None:
        raise SingularMatrixError("the matrix is exactly singular")
    if growth * own.eps > 1:
        raise SingularMatrixError(f"the condition number is beyond 1/eps = {1 / own.eps:.1e}")
    return solution


def _growth(a: Array, x: Array, b: Array) -> float:
    """The largest ‖A‖ ‖x‖ / ‖b‖ of the stack, a lower bound of the condition number."""
    xp = lookup(a)[0]
    if 0 in b.shape:
        return 1.0
    size = xp.max(xp.abs(b), axis=(-2, -1))
    unit = xp.where(size > 0, size, xp.ones_like(size))
    return float(xp.max(xp.max(xp.abs(x), axis=(-2, -1)) / unit * _row_sum_norm(a)))


def logdet_cholesky(lower: Array) -> Array:
    """Return log det(L Lᴴ), real, of shape (...)."""
    xp = lookup(lower)[0]
    return 2 * xp.sum(xp.log(xp.abs(diagonal_of(lower))), axis=-1)


def _guarded(function: Callable[[Array], Array], a: Array) -> Array | None:
    """Call `function(a)`; None where the library raises its LAPACK error or answers with NaN."""
    xp, library = lookup(a)
    try:
        with library.checked():
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


def _is_semidefinite(a: Array, eps: float) -> bool:
    """Whether no eigenvalue of A, scaled to unit diagonal, is below zero by more than rounding."""
    own = kind(a)
    diagonal = real_part(diagonal_of(a))
    largest = own.xp.max(own.xp.abs(diagonal), axis=-1, keepdims=True)
    largest = own.xp.where(largest > 0, largest, own.xp.ones_like(largest))
    units = own.xp.sqrt(own.xp.where(diagonal > 0, diagonal, largest))
    scaled = a / cast(units[..., :, None], own) / cast(units[..., None, :], own)
    return bool(own.xp.all(own.library.eigh(scaled)[0] >= -10 * a.shape[-1] * eps))


def _condition(a: Array, inverse: Array) -> float:
    """The largest ‖A‖ ‖A⁻¹‖ of the stack, in the norm of row sums."""
    xp = lookup(a)[0]
    if 0 in a.shape:
        return 1.0
    reciprocal = float(xp.min(1 / _row_sum_norm(a) / _row_sum_norm(inverse)))
    return 1 / reciprocal if reciprocal else float("inf")


def _row_sum_norm(a: Array) -> Array:
    xp = lookup(a)[0]
    return xp.max(xp.sum(xp.abs(a), axis=-1), axis=-1)


def _checked_inverse(inverse: Array, condition: float) -> Array:
    """Return `inverse`, or raise if the condition number shows that no digit of it is right."""
    eps = kind(inverse).eps
    if not condition * eps < 1:
        raise SingularMatrixError(f"the condition number is about {condition:.1e}, beyond 1/eps = {1 / eps:.1e}")
    return inverse
