"""Zero: the operator whose every product is 0."""

from typing import Any

from kronlin.algebra import rules
from kronlin.algebra.identity import Identity, like_kind
from kronlin.algebra.operator import Operator
from kronlin.algebra.properties import Properties, properties
from kronlin.algebra.scaled import Number
from kronlin.algebra.structure import no_determinant
from kronlin.arrays import Array, SingularMatrixError


class Zero(Operator):
    """The zero operator of any shape.

    Args:
        shape: (rows, columns).
        like: an array or operator whose library, dtype and device it shares.
        dtype: the name of a dtype, for NumPy or instead of that of `like`.

    Raises:
        ValueError: the shape is not a pair of sizes.
        TypeError: neither `like` nor `dtype` is given.

    >>> Zero((2, 3), dtype="float64")
    Zero(2×3, float64)
    """

    def __init__(self, shape: tuple[int, int], *, like: Any = None, dtype: str | None = None) -> None:
        if len(shape) != 2 or min(shape) < 0:
            raise ValueError(f"Zero({shape}): the shape is a pair of sizes that are not negative")
        self._setup(like_kind(like, dtype, f"Zero({shape})").zeros(0), size=(int(shape[0]), int(shape[1])))

    def _setup(self, empty: Array, *, size: tuple[int, int]) -> None:
        self._define(empty, shape=size, batch=tuple(empty.shape[:-1]), size=size)

    def _derive(self) -> Properties:
        return properties(psd=True, pd=None if self.shape[0] == 0 else False)

    def _matmat(self, x: Array) -> Array:
        return self.kind.zeros(*x.shape[:-2], self.shape[0], x.shape[-1])

    def _sized(self, rows: int, columns: int) -> "Zero":
        return Zero._make(self.parts[0], size=(rows, columns))


@rules.compose.register(Zero, Operator, level=3)
@rules.compose.register(Zero, Zero, level=3)
def compose_zero_left(a: Zero, b: Operator) -> Operator:
    """0 B = 0."""
    return a._sized(a.shape[0], b.shape[1])


@rules.compose.register(Operator, Zero, level=3)
def compose_zero_right(a: Operator, b: Zero) -> Operator:
    """A 0 = 0."""
    return b._sized(a.shape[0], b.shape[1])


@rules.add.register(Zero, Operator, level=3)
@rules.add.register(Zero, Zero, level=3)
def add_zero_left(a: Zero, b: Operator) -> Operator:
    """0 + B = B."""
    return b


@rules.add.register(Operator, Zero, level=3)
def add_zero_right(a: Operator, b: Zero) -> Operator:
    """A + 0 = A."""
    return a


@rules.scale.register(Zero)
def scale_zero(a: Zero, factor: Number) -> Operator:
    """c 0 = 0."""
    return a._astype(a.kind.complex) if factor.imag else a


@rules.shift.register(Zero)
def shift_zero(a: Zero, c: Number) -> Operator:
    """0 + c I = c I."""
    return rules.scale(Identity._make(a.parts[0], n=a.shape[0]), c)


@rules.adjoint.register(Zero)
@rules.pinv.register(Zero)
def adjoint_of_zero(a: Zero) -> Operator:
    """0ᴴ = 0⁺ = 0, turned over."""
    return a._sized(a.shape[1], a.shape[0])


@rules.power.register(Zero)
def power_of_zero(a: Zero, p: float) -> Operator:
    """0ᵖ = 0 for p > 0."""
    return a if p > 0 else NotImplemented


@rules.conjugate.register(Zero)
@rules.modulus2.register(Zero)
def same_zero(a: Zero) -> Operator:
    """0 is its own conjugate and square."""
    return a


@rules.inverse.register(Zero)
@rules.solve.register(Zero)
def zero_is_singular(a: Zero, *_: Array) -> Operator:
    """0 has no inverse, unless it has no rows."""
    if a.shape[0] == 0:
        return NotImplemented
    raise SingularMatrixError(f"{a!r} has no inverse: use A.damped(lam).inverse() or A.pinv()")


@rules.slogdet.register(Zero)
def slogdet_of_zero(a: Zero) -> tuple[Array, Array]:
    """det 0 = 0, unless it has no rows."""
    if a.shape[0] == 0:
        return NotImplemented
    return no_determinant(a)


@rules.to_dense.register(Zero)
def zero_to_dense(a: Zero) -> Array:
    """Zeros."""
    return a.kind.zeros(*a.batch, *a.shape)


@rules.diagonal.register(Zero)
def diagonal_of_zero(a: Zero) -> Array:
    """Zeros."""
    return a.kind.zeros(*a.batch, a.shape[0])


@rules.trace.register(Zero)
def trace_of_zero(a: Zero) -> Array:
    """tr 0 = 0."""
    return a.kind.zeros(*a.batch)


@rules.norm.register(Zero)
def norm_of_zero(a: Zero) -> Array:
    """‖0‖ = 0."""
    return a.kind.real.zeros(*a.batch)
