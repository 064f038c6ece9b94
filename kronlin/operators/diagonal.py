"""Diagonal: diag(d)."""

from kronlin.algebra import Operator, Properties, rules
from kronlin.algebra.properties import properties
from kronlin.arrays import Array, SingularMatrixError, abs2, all_finite, cast, conj, kind, real_part, root_sum_squares
from kronlin.operators.dense import Dense, no_inverse


class Diagonal(Operator):
    """diag(d): x ↦ d ∘ x, at n multiplications a column.

    Args:
        diagonal: d, an array of shape (n,).

    Raises:
        ValueError: d is not one-dimensional, or has a NaN or an Inf.

    >>> import numpy as np
    >>> Diagonal(np.array([1.0, 4.0])).sqrt() @ np.ones(2)
    array([1., 2.])
    """

    def __init__(self, diagonal: Array) -> None:
        kind(diagonal)
        if diagonal.ndim != 1:
            raise ValueError(f"Diagonal takes an array of shape (n,), not {tuple(diagonal.shape)}")
        if not all_finite(diagonal):
            raise ValueError(f"Diagonal of {diagonal.shape[0]} entries: one is NaN or infinite")
        self._setup(diagonal)

    def _setup(self, diagonal: Array) -> None:
        self.entries = diagonal
        n = diagonal.shape[-1]
        self._define(diagonal, shape=(n, n), batch=tuple(diagonal.shape[:-1]))

    def _derive(self) -> Properties:
        xp = self.kind.xp
        if self.kind.is_complex and not bool(
            xp.all(xp.abs(xp.imag(self.entries)) <= 10 * self.kind.eps * xp.abs(self.entries))
        ):
            return properties(self_adjoint=False)
        real = real_part(self.entries)
        return properties(True, psd=bool(xp.all(real >= 0)), pd=bool(xp.all(real > 0)))

    def _matmat(self, x: Array) -> Array:
        return self.entries[..., None] * x

    def _nonzero(self) -> bool:
        return bool(self.kind.xp.all(self.entries != 0))


@rules.compose.register(Diagonal, Diagonal)
def compose_diagonals(a: Diagonal, b: Diagonal) -> Operator:
    """Entry by entry."""
    return Diagonal._make(a.entries * b.entries)


@rules.compose.register(Diagonal, Dense)
def compose_diagonal_dense(a: Diagonal, b: Dense) -> Operator:
    """Scale the rows."""
    return Dense._make(a.entries[..., None] * b.array)


@rules.compose.register(Dense, Diagonal)
def compose_dense_diagonal(a: Dense, b: Diagonal) -> Operator:
    """Scale the columns."""
    return Dense._make(a.array * b.entries[..., None, :])


@rules.add.register(Diagonal, Diagonal)
def add_diagonals(a: Diagonal, b: Diagonal) -> Operator:
    """Entry by entry."""
    return Diagonal._make(a.entries + b.entries)


@rules.scale.register(Diagonal)
def scale_diagonal(a: Diagonal, factor: complex) -> Operator:
    """Scale the entries."""
    if factor.imag:
        return Diagonal._make(factor * cast(a.entries, a.kind.complex))
    return Diagonal._make(factor.real * a.entries)


@rules.shift.register(Diagonal)
def shift_diagonal(a: Diagonal, c: complex) -> Operator:
    """Add to the entries."""
    if c.imag:
        return NotImplemented
    return Diagonal._make(a.entries + c.real)


@rules.adjoint.register(Diagonal)
@rules.conjugate.register(Diagonal)
def conjugate_of_diagonal(a: Diagonal) -> Operator:
    """Conjugate the entries."""
    return Diagonal._make(conj(a.entries))


@rules.modulus2.register(Diagonal)
def modulus2_of_diagonal(a: Diagonal) -> Operator:
    """Square the entries."""
    return Diagonal._make(abs2(a.entries))


@rules.inverse.register(Diagonal)
def inverse_of_diagonal(a: Diagonal) -> Operator:
    """1 / d."""
    if not a._nonzero():
        raise SingularMatrixError(no_inverse(a, "an entry is zero"))
    return Diagonal._make(1 / a.entries)


@rules.pinv.register(Diagonal)
def pinv_of_diagonal(a: Diagonal) -> Operator:
    """1 / d where d is not zero, 0 elsewhere."""
    xp, zero = a.kind.xp, a.entries == 0
    ones = xp.ones_like(a.entries)
    return Diagonal._make(xp.where(zero, xp.zeros_like(a.entries), 1 / xp.where(zero, ones, a.entries)))


@rules.power.register(Diagonal)
def power_of_diagonal(a: Diagonal, p: float) -> Operator:
    """Raise the entries, where that is a number, and real where A is."""
    allowed = (p >= 0 or a._nonzero()) if isinstance(p, int) else (a.is_psd if p > 0 else a.is_pd)
    return Diagonal._make(a.entries**p) if allowed else NotImplemented


@rules.to_dense.register(Diagonal)
def diagonal_to_dense(a: Diagonal) -> Array:
    """Spread over an identity."""
    return a.entries[..., None] * a.kind.eye(a.shape[0])


@rules.diagonal.register(Diagonal)
def diagonal_of_diagonal(a: Diagonal) -> Array:
    """The entries."""
    return a.entries


@rules.norm.register(Diagonal)
def norm_of_diagonal(a: Diagonal) -> Array:
    """(Σ |d|²)^½."""
    return root_sum_squares(a.entries, axis=-1)


@rules.slogdet.register(Diagonal)
def slogdet_of_diagonal(a: Diagonal) -> tuple[Array, Array]:
    """The product of the entries, its modulus in logarithms."""
    xp = a.kind.xp
    modulus = xp.abs(a.entries)
    logarithm = xp.sum(xp.log(xp.where(modulus > 0, modulus, xp.ones_like(modulus))), axis=-1)
    singular = xp.any(modulus == 0, axis=-1)
    infinite = xp.full_like(logarithm, -float("inf"))
    signs = a.entries / xp.where(modulus > 0, modulus, xp.ones_like(modulus))
    return xp.prod(signs, axis=-1), xp.where(singular, infinite, logarithm)


@rules.inner.register(Diagonal, Operator, level=2)
@rules.inner.register(Diagonal, Diagonal, level=2)
def inner_with_diagonal_left(a: Diagonal, b: Operator) -> Array:
    """Only the diagonal of B counts."""
    return a.kind.xp.sum(conj(a.entries) * b.diagonal(), axis=-1)


@rules.inner.register(Operator, Diagonal, level=2)
def inner_with_diagonal_right(a: Operator, b: Diagonal) -> Array:
    """Only the diagonal of A counts."""
    return a.kind.xp.sum(conj(a.diagonal()) * b.entries, axis=-1)
