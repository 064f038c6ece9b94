"""System: what is to be solved, checked at the door and brought to columns of moderate size."""

from collections.abc import Callable
from math import frexp, isfinite
from typing import Any, NamedTuple

import numpy as np

from kronlin.algebra import Operator, rules
from kronlin.arrays import (
    Array,
    Kind,
    all_finite,
    by_columns,
    cast,
    common_kind,
    kind,
    root_sum_squares,
    to_numpy,
)
from kronlin.krylov.result import Numbers
from kronlin.operators import Dense


class System(NamedTuple):
    """A x = b with a preconditioner M ≈ A⁻¹, for columns b / s and x / s with s = 2ᵉ near ‖b‖.

    The scaling is exact, and keeps the squares in the recurrence from underflow and overflow. The blocks are in a form
    in which each column lies in one piece.
    """

    A: Operator
    M: Operator | None
    b: Array
    x0: Array
    scale: Numbers
    norms: Numbers
    kind: Kind
    is_vector: bool
    from_zero: bool

    def unscaled(self, x: Array) -> Array:
        """The solution in the shape and units of b."""
        x = x * self.columns(self.scale)
        return x[:, 0] if self.is_vector else x

    def map(self, operator: Operator) -> Callable[[Array], Array]:
        """The product with blocks of this kind; real operators are let in between complex blocks."""
        return operator._matmat if operator.kind == self.kind else operator.matmat

    def columns(self, numbers: Any) -> Array:
        """Numbers of the host, one a column, as real numbers on the device."""
        own = self.kind.real
        return own.asarray([float(number) for number in numbers])


def square(caller: str, A: Any, M: Any) -> tuple[Operator, Operator | None]:
    """Return A and M as operators of one square shape.

    Raises:
        ValueError: a shape does not fit.
    """
    A = rules.wrap(A)
    if A.shape[0] != A.shape[1]:
        raise ValueError(f"{caller} needs a square A, not {A!r}")
    if M is None:
        return A, None
    M = rules.wrap(M)
    if M.shape != A.shape:
        raise ValueError(f"{caller} takes M ≈ A⁻¹ of the shape {A.shape} of A, not {M.shape}")
    return A, M


def operators(caller: str, A: Any, M: Any, advice: str, definite: bool = True) -> tuple[Operator, Operator | None]:
    """Return A and M as operators after refusing what is known to be unfit for a symmetric method.

    `advice` says where else to go with an unfit preconditioner, `definite` whether A must be psd.

    Raises:
        ValueError: a shape does not fit, or A or M is known to lack what the method needs.
    """
    A, M = square(caller, A, M)
    psd = A.is_psd if definite else None
    _refuse(caller, "A", A, ("self-adjoint", A.is_self_adjoint), ("positive semidefinite", psd))
    if M is not None:
        _refuse(caller, "M", M, ("self-adjoint", M.is_self_adjoint), ("positive semidefinite", M.is_psd), advice=advice)
    return A, M


def _refuse(caller: str, name: str, a: Operator, *needs: tuple[str, bool | None], advice: str = "") -> None:
    for need, answer in needs:
        if answer is False:
            rounded = need == "self-adjoint" and isinstance(a, Dense)
            rounding = f" (if only rounding makes it so, pass ({name} + {name}.H) / 2)" if rounded else ""
            raise ValueError(f"{caller} needs a {need} {name}, and {a!r} is known not to be{rounding}{advice}")


def enter(caller: str, A: Operator, M: Operator | None, b: Array, x0: Array | None) -> System:
    """Check b and x0 and bring everything to one kind.

    Raises:
        ValueError: a shape or kind does not fit, or there is a NaN or an Inf.
    """
    n = A.shape[0]
    kinds = [A.kind, kind(b)] + ([] if M is None else [M.kind])
    if b.ndim not in (1, 2) or b.shape[0] != n:
        raise ValueError(
            f"{caller}: b has shape {tuple(b.shape)} and A {A.shape}, so pass b of shape ({n},) or ({n}, k)"
        )
    if not all_finite(b):
        raise ValueError(f"{caller}: b has an entry that is NaN or infinite")
    if x0 is not None:
        kinds.append(kind(x0))
        if tuple(x0.shape) != tuple(b.shape):
            raise ValueError(f"{caller}: x0 has shape {tuple(x0.shape)}, b {tuple(b.shape)}; they must be equal")
        if not all_finite(x0):
            raise ValueError(f"{caller}: x0 has an entry that is NaN or infinite")
    own = common_kind(kinds, caller)
    is_vector = b.ndim == 1
    block = by_columns(cast(b[:, None] if is_vector else b, own))
    norms = np.asarray(to_numpy(root_sum_squares(block, axis=0)), dtype=np.float64)
    bound = 120 if own.itemsize // (2 if own.is_complex else 1) == 4 else 1000
    scale = np.asarray([2.0 ** max(-bound, min(bound, frexp(norm)[1])) for norm in norms])
    inverse = own.real.asarray([0.0 if norm == 0 else 1 / s for norm, s in zip(norms, scale, strict=True)])
    if x0 is None:
        start = own.xp.matrix_transpose(own.zeros(block.shape[1], n))
    else:
        start = by_columns(cast(x0[:, None] if is_vector else x0, own)) * inverse
    return System(A, M, block * inverse, start, scale, norms / scale, own, is_vector, x0 is None)


def checked_number(caller: str, name: str, value: Any, smallest: float) -> float:
    """Return a finite number that is not below `smallest`, or say which one was wrong."""
    if not (isinstance(value, int | float) and isfinite(value) and value >= smallest):
        raise ValueError(f"{caller}: {name} must be a finite number ≥ {smallest:g}, not {value!r}")
    return value
