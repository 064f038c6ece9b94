"""Function: an operator given by its product."""

from collections.abc import Callable
from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.algebra.identity import like_kind
from kronlin.arrays import Array, kind


class Function(Operator):
    """The operator that a function computes.

    Args:
        matmat: X ↦ A X for X of shape (columns, k); it must not write into X.
        rmatmat: Y ↦ Aᴴ Y for Y of shape (rows, k); without it there is no adjoint.
        shape: (rows, columns).
        dtype: name of the dtype, for NumPy or instead of that of `like`.
        like: an array or operator whose library, dtype and device the function works in.

    Raises:
        TypeError: matmat is not callable, or neither `like` nor `dtype` is given.
        ValueError: later, a function returns another shape or dtype than is due.

    >>> import numpy as np
    >>> Function(np.flipud, np.flipud, shape=(3, 3), dtype="float64") @ np.array([1.0, 2.0, 3.0])
    array([3., 2., 1.])
    """

    _stackable = False

    def __init__(
        self,
        matmat: Callable[[Array], Array],
        rmatmat: Callable[[Array], Array] | None = None,
        *,
        shape: tuple[int, int],
        dtype: str | None = None,
        like: Any = None,
    ) -> None:
        if not callable(matmat):
            raise TypeError(f"Function takes a callable X -> A X, not {type(matmat).__name__}")
        empty = like_kind(like, dtype, "Function").zeros(0)
        self._setup(empty, matmat=matmat, rmatmat=rmatmat, size=(int(shape[0]), int(shape[1])))

    def _setup(
        self,
        empty: Array,
        *,
        matmat: Callable[[Array], Array],
        rmatmat: Callable[[Array], Array] | None,
        size: tuple[int, int],
    ) -> None:
        self.matmat_function = matmat
        self.rmatmat_function = rmatmat
        self._define(empty, shape=size, matmat=matmat, rmatmat=rmatmat, size=size)

    def _matmat(self, x: Array) -> Array:
        return self._checked(self.matmat_function(x), "matmat", x, self.shape[0])

    def _rmatmat(self, y: Array) -> Array:
        if self.rmatmat_function is None:
            if self.is_self_adjoint:
                return self._matmat(y)
            raise NotImplementedError(
                f"{self!r} was made without an adjoint: pass rmatmat=, or promise kronlin.assume(A, 'self-adjoint')"
            )
        return self._checked(self.rmatmat_function(y), "rmatmat", y, self.shape[1])

    def _checked(self, result: Array, name: str, x: Array, rows: int) -> Array:
        """Refuse a result of the wrong shape, before it spreads."""
        wanted = (rows, x.shape[-1])
        if tuple(getattr(result, "shape", ())) != wanted:
            raise ValueError(
                f"the {name} of {self!r} returned shape {tuple(getattr(result, 'shape', ()))} for an argument of shape "
                f"{tuple(x.shape)}, where {wanted} is due"
            )
        if kind(result).dtype != x.dtype:
            raise ValueError(f"the {name} of {self!r} turned {x.dtype} into {result.dtype}: it must keep the dtype")
        return result


@rules.to_dense.register(Function)
def function_without_adjoint_to_dense(a: Function) -> Array:
    """Multiply with the identity from the right, where the left is out of reach."""
    return NotImplemented if a.rmatmat_function else a._matmat(a.kind.eye(a.shape[1]))
