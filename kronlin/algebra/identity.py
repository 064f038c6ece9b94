"""Identity: I, and what a multiple of it does to a sum."""

from typing import Any

from kronlin.algebra import rules
from kronlin.algebra.operator import Operator
from kronlin.algebra.properties import PD, Properties
from kronlin.algebra.scaled import Number, Scaled
from kronlin.algebra.structure import Structure
from kronlin.arrays import Array, Kind, conj, kind, kind_named


def like_kind(like: Any, dtype: str | None, what: str) -> Kind:
    """Read the kind that `like=` (an array or operator) or `dtype=` (for NumPy) asks for."""
    if like is None and dtype is None:
        raise TypeError(f'{what} needs like=, an array or operator whose kind it takes, or dtype="float64" for NumPy')
    found = kind_named(dtype or "float64") if like is None else like.kind if isinstance(like, Structure) else kind(like)
    if like is not None and dtype is not None:
        found = found._replace(dtype=getattr(found.xp, dtype))
    return found


class Identity(Operator):
    """The identity: I x = x.

    Args:
        n: its size.
        like: an array or operator whose library, dtype and device it shares.
        dtype: the name of a dtype, for NumPy or instead of that of `like`.

    Raises:
        ValueError: n is negative.
        TypeError: neither `like` nor `dtype` is given.

    >>> Identity(3, dtype="float32")
    Identity(3×3, float32, pd)
    """

    def __init__(self, n: int, *, like: Any = None, dtype: str | None = None) -> None:
        if n < 0:
            raise ValueError(f"Identity({n}): the size must not be negative")
        self._setup(like_kind(like, dtype, f"Identity({n})").zeros(0), n=int(n))

    def _setup(self, empty: Array, *, n: int) -> None:
        self._define(empty, shape=(n, n), batch=tuple(empty.shape[:-1]), n=n)

    def _derive(self) -> Properties:
        return PD

    def _matmat(self, x: Array) -> Array:
        return x

    def _constant(self, value: float, *shape: int) -> Array:
        """An array of (stack, *shape) filled with one value."""
        return self.kind.zeros(*self.batch, *shape) + value


def multiple_of_identity(a: Operator) -> Number | None:
    """Return c if A is held as c I, else None."""
    if isinstance(a, Scaled) and isinstance(a.base, Identity):
        return a.factor
    return 1 if isinstance(a, Identity) else None


@rules.compose.register(Identity, Operator, level=2)
@rules.compose.register(Identity, Identity, level=2)
def compose_identity_left(a: Identity, b: Operator) -> Operator:
    """I B = B."""
    return b


@rules.compose.register(Operator, Identity, level=2)
def compose_identity_right(a: Operator, b: Identity) -> Operator:
    """A I = A."""
    return a


@rules.add.register(Identity, Operator, level=2)
@rules.add.register(Identity, Identity, level=2)
def add_identity_left(a: Identity, b: Operator) -> Operator:
    """I + B is B, shifted."""
    return b._shifted(1)


@rules.add.register(Operator, Identity, level=2)
def add_identity_right(a: Operator, b: Identity) -> Operator:
    """A + I is A, shifted."""
    return a._shifted(1)


@rules.add.register(Operator, Scaled, level=1)
@rules.add.register(Scaled, Scaled, level=1)
def add_multiple_of_identity_right(a: Operator, b: Scaled) -> Operator:
    """A + c I is A, shifted."""
    return a._shifted(b.factor) if isinstance(b.base, Identity) else NotImplemented


@rules.add.register(Scaled, Operator, level=1)
def add_multiple_of_identity_left(a: Scaled, b: Operator) -> Operator:
    """c I + B is B, shifted."""
    return b._shifted(a.factor) if isinstance(a.base, Identity) else NotImplemented


@rules.shift.register(Identity)
def shift_identity(a: Identity, c: Number) -> Operator:
    """I + c I = (1 + c) I."""
    return rules.scale(a, 1 + c)


@rules.adjoint.register(Identity)
@rules.conjugate.register(Identity)
@rules.inverse.register(Identity)
@rules.pinv.register(Identity)
@rules.modulus2.register(Identity)
def same_identity(a: Identity) -> Operator:
    """I is its own adjoint, conjugate, inverse and square."""
    return a


@rules.power.register(Identity)
def power_of_identity(a: Identity, p: float) -> Operator:
    """Iᵖ = I."""
    return a


@rules.solve.register(Identity)
def solve_identity(a: Identity, b: Array) -> Array:
    """I x = b."""
    return b


@rules.to_dense.register(Identity)
def identity_to_dense(a: Identity) -> Array:
    """Ones on the diagonal."""
    n = a.shape[0]
    return a._constant(0.0, n, n) + a.kind.eye(n)


@rules.diagonal.register(Identity)
def diagonal_of_identity(a: Identity) -> Array:
    """Ones."""
    return a._constant(1.0, a.shape[0])


@rules.trace.register(Identity)
def trace_of_identity(a: Identity) -> Array:
    """tr I = n."""
    return a._constant(float(a.shape[0]))


@rules.norm.register(Identity)
def norm_of_identity(a: Identity) -> Array:
    """‖I‖ = √n."""
    return a.kind.real.zeros(*a.batch) + a.shape[0] ** 0.5


@rules.slogdet.register(Identity)
def slogdet_of_identity(a: Identity) -> tuple[Array, Array]:
    """det I = 1."""
    return a._constant(1.0), a.kind.real.zeros(*a.batch)


@rules.project.register(Identity, Operator)
def project_identity(a: Identity, z: Operator) -> tuple[Operator, Array]:
    """I Z = Z."""
    return z, rules.gram(z, z)


@rules.inner.register(Identity, Operator, level=4)
@rules.inner.register(Identity, Identity, level=4)
def inner_with_identity_left(a: Identity, b: Operator) -> Array:
    """tr(I B) = tr B."""
    return b.trace()


@rules.inner.register(Operator, Identity, level=4)
def inner_with_identity_right(a: Operator, b: Identity) -> Array:
    """tr(Aᴴ I) is the conjugate of tr A."""
    return conj(a.trace())
