"""Dense: a matrix held as an array."""

from contextlib import suppress
from functools import reduce
from math import prod
from operator import add
from typing import Any

from kronlin.algebra import Operator, Properties, rules
from kronlin.algebra.properties import PSD, properties
from kronlin.arrays import (
    Array,
    NotPositiveDefiniteError,
    SingularMatrixError,
    abs2,
    adjoint,
    all_finite,
    cast,
    cholesky,
    compact,
    conj,
    diagonal_of,
    inverse_general,
    inverse_positive,
    is_array,
    kind,
    logdet_cholesky,
    pieces,
    root_sum_squares,
    shifted,
    solve_cholesky,
    solve_general,
)


class Dense(Operator):
    """The matrix of an array of shape (m, n).

    Unknown self-adjointness is settled by a look at the entries, definiteness by the factorisation that asks.
    Products cost m n multiplications a column; an inverse or a factorisation O(n³), once.

    Args:
        array: float32, float64, complex64 or complex128, of any array library.

    Raises:
        ValueError: the array is not two-dimensional, or has a NaN or an Inf.

    >>> import numpy as np
    >>> A = Dense(np.array([[2.0, 1.0], [1.0, 2.0]]))
    >>> A.inverse()
    Dense(2×2, float64, pd)
    >>> A.solve(np.array([3.0, 3.0]))
    array([1., 1.])
    """

    def __init__(self, array: Array) -> None:
        self._setup(checked_matrix(array, "Dense"))

    def _setup(self, array: Array) -> None:
        self.array = array
        *batch, rows, columns = array.shape
        self._define(array, shape=(rows, columns), batch=tuple(batch))

    def _derive(self) -> Properties:
        if self._promised.self_adjoint is not None:
            return Properties()
        if 0 in self.array.shape:
            return properties(self_adjoint=True)
        tolerance = max(10, self.shape[0]) * self.kind.eps
        return properties(self_adjoint=self.kind.library.is_hermitian(self.array, tolerance))

    @property
    def _at_hand(self) -> Properties:
        return self._kept("properties") or self._promised

    def _matmat(self, x: Array) -> Array:
        return self.array @ x

    def row_by_row_transposed(self) -> Array:
        """Aᵀ in row-major order, kept: for factors so small that products with a view of it are slow."""
        return self._once("transposed", lambda: compact(self.kind.xp.matrix_transpose(self.array)))

    def _cholesky(self) -> Array | None:
        """The Cholesky factor, or None if A is not positive definite; a broken promise is an error."""
        if self.is_pd is False or not self.is_self_adjoint:
            return None
        found = self._once("cholesky", self._factor)
        if isinstance(found, SingularMatrixError):
            raise SingularMatrixError(no_inverse(self, str(found)))
        if isinstance(found, NotPositiveDefiniteError):
            if self.is_psd:
                raise NotPositiveDefiniteError(broken_promise(self, str(found)))
            return None
        return found

    def _factor(self) -> Array | ValueError:
        """The Cholesky factor, or the error that says why there is none, so that either is found once."""
        try:
            return cholesky(self.array)
        except (NotPositiveDefiniteError, SingularMatrixError) as error:
            return error.with_traceback(None)

    def prepare(self) -> "Dense":
        """Factor now; a singular matrix is left to the call that needs an inverse."""
        if self.shape[0] == self.shape[1] and self.is_self_adjoint:
            with suppress(SingularMatrixError):
                self._cholesky()
        return self


def checked_matrix(array: Any, what: str) -> Array:
    """Return a finite floating-point array of two dimensions, or say what is wrong with it."""
    kind(array)
    if array.ndim != 2:
        raise ValueError(f"{what} takes an array of shape (rows, columns), not {tuple(array.shape)}")
    if not all_finite(array):
        raise ValueError(f"{what} of shape {tuple(array.shape)} has an entry that is NaN or infinite")
    return array


def broken_promise(a: Operator, finding: str) -> str:
    """Word the error for an operator that is not what was promised."""
    return f"{a!r} was promised to be {a.properties.word}, but {finding}: check how it was formed, or drop the promise"


def no_inverse(a: Operator, finding: str) -> str:
    """Word the error for an operator without an inverse."""
    return f"{a!r} has no inverse ({finding}): use A.damped(lam).inverse() or A.pinv()"


@rules.wrap.register(object)
def wrap_array(x: Any) -> Operator:
    """An array becomes Dense."""
    if not is_array(x):
        raise TypeError(f"expected an operator or an array, not {type(x).__name__}")
    return Dense(x)


@rules.wrap.register(Operator)
def wrap_operator(a: Operator) -> Operator:
    """An operator stays as it is."""
    return a


@rules.compose.register(Dense, Dense)
def compose_dense(a: Dense, b: Dense) -> Operator:
    """Multiply out, unless the product has more entries than the factors."""
    (m, k), n = a.shape, b.shape[1]
    if m * n > m * k + k * n:
        return NotImplemented
    return Dense._make(a.array @ b.array)


@rules.add.register(Dense, Dense)
def add_dense(a: Dense, b: Dense) -> Operator:
    """Add the entries."""
    total = Dense._make(a.array + b.array)
    return total._with(PSD) if a._promised.psd and b._promised.psd else total


@rules.gram.register(Dense, Dense)
def gram_of_dense(a: Dense, b: Dense) -> Array:
    """Aᴴ B."""
    return adjoint(a.array) @ b.array


@rules.wide_gram.register(Dense)
def wide_gram_of_dense(a: Dense) -> Array:
    """Some rows at a time, so that the copy in double precision stays small."""
    rows, columns = a.shape
    chosen = pieces(rows, 2 * prod(a.batch) * columns, a.kind.double)
    parts = (cast(a.array[..., some, :], a.kind.double) for some in chosen)
    return reduce(add, (adjoint(part) @ part for part in parts))


@rules.scale.register(Dense)
def scale_dense(a: Dense, factor: complex) -> Operator:
    """Scale the entries."""
    if factor.imag:
        return Dense._make(factor * cast(a.array, a.kind.complex))
    scaled = Dense._make(factor.real * a.array)
    return scaled._with(a._promised) if factor.real > 0 else scaled


@rules.shift.register(Dense)
def shift_dense(a: Dense, c: complex) -> Operator:
    """Add to the diagonal."""
    if c.imag:
        return NotImplemented
    return Dense._make(shifted(a.array, c.real))


@rules.adjoint.register(Dense)
def adjoint_of_dense(a: Dense) -> Operator:
    """The conjugate transpose, a view where the library has views."""
    return Dense._make(adjoint(a.array))


@rules.conjugate.register(Dense)
def conjugate_of_dense(a: Dense) -> Operator:
    """Conjugate the entries."""
    return Dense._make(conj(a.array))._with(a._promised)


@rules.modulus2.register(Dense)
def modulus2_of_dense(a: Dense) -> Operator:
    """Square the entries."""
    return Dense._make(abs2(a.array))


@rules.power.register(Dense)
def power_of_dense(a: Dense, p: float) -> Operator:
    """A², A³, … multiplied out."""
    if not isinstance(p, int) or p < 2:
        return NotImplemented
    half = a.power(p // 2)
    square = Dense._make(half.array @ half.array)
    return square if p % 2 == 0 else Dense._make(square.array @ a.array)


@rules.inverse.register(Dense)
def inverse_of_dense(a: Dense) -> Operator:
    """Invert by Cholesky if A is positive definite, by LU if not."""
    factor = a._cholesky()
    try:
        if factor is not None:
            return Dense._make(inverse_positive(a.array, factor))._with(properties(pd=True))
        return Dense._make(inverse_general(a.array))
    except SingularMatrixError as error:
        raise SingularMatrixError(no_inverse(a, str(error))) from None


@rules.pinv.register(Dense)
def pinv_of_dense(a: Dense) -> Operator:
    """From the eigenvalues of a self-adjoint A, else from the singular values, cut off at n eps times the largest."""
    if a.shape[0] == a.shape[1] and a.is_self_adjoint:
        return a.eigh().pinv()
    wide = a._astype(a.kind.double)
    inverse = a.kind.xp.linalg.pinv(wide.array, rtol=max(a.shape) * a.kind.eps)
    return Dense._make(inverse)._astype(a.kind)


@rules.solve.register(Dense)
def solve_dense(a: Dense, b: Array) -> Array:
    """Solve by the kept Cholesky factor if A is positive definite, by LU if not."""
    factor = a._cholesky()
    if factor is not None:
        return solve_cholesky(factor, b)
    try:
        return solve_general(a.array, b)
    except SingularMatrixError as error:
        raise SingularMatrixError(no_inverse(a, str(error))) from None


@rules.slogdet.register(Dense)
def slogdet_of_dense(a: Dense) -> tuple[Array, Array]:
    """From the Cholesky factor if A is promised psd or it is there, else by LU; (0, -inf) if singular by rounding."""
    try:
        factor = a._cholesky() if a.is_psd or a._kept("cholesky") is not None else None
    except SingularMatrixError:
        if a.is_pd:
            raise
        return a.eigh()._without_rounding().slogdet()
    if factor is not None:
        return a.kind.ones(*a.batch), logdet_cholesky(factor)
    sign, logarithm = a.kind.xp.linalg.slogdet(a.array)
    return sign, logarithm


@rules.to_dense.register(Dense)
def dense_to_dense(a: Dense) -> Array:
    """The array itself."""
    return a.array


@rules.diagonal.register(Dense)
def diagonal_of_dense(a: Dense) -> Array:
    """Read it off."""
    return diagonal_of(a.array)


@rules.trace.register(Dense)
def trace_of_dense(a: Dense) -> Array:
    """Sum the diagonal."""
    return a.kind.xp.linalg.trace(a.array, dtype=a.kind.dtype)


@rules.norm.register(Dense)
def norm_of_dense(a: Dense) -> Array:
    """(Σ |a|²)^½."""
    return root_sum_squares(a.array, axis=(-2, -1))


@rules.inner.register(Dense, Dense)
def inner_of_dense(a: Dense, b: Dense) -> Array:
    """Σ conj(a) b."""
    return a.kind.xp.sum(conj(a.array) * b.array, axis=(-2, -1))
