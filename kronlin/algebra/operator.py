"""The linear operator: checks stand here, the computing stands in `_matmat` and in the rules."""

from math import isfinite
from textwrap import shorten
from typing import Any, cast

from kronlin.algebra import rules
from kronlin.algebra._tree import Tree
from kronlin.algebra.functions import MatrixFunctions
from kronlin.algebra.properties import NOTHING, PD, PSD, SELF_ADJOINT, UNKNOWN, Answer, Properties
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, adjoint, conj, is_array, is_linear_map, is_sparse, kind, linear_operator, namespace
from kronlin.arrays import cast as cast_array

_LONGEST_INSIDE = 100
"""Characters that `repr` spends on the parts; `tree` shows them all."""

_PROMISES = {"self-adjoint": SELF_ADJOINT, "psd": PSD, "pd": PD}


class Operator(MatrixFunctions):
    """A linear map between finite-dimensional spaces over ℝ or ℂ, known by its products.

    A subclass hands its arrays to `_define`, computes A X in `_matmat` for X of shape (columns, k), and says what
    Aᴴ is: either by `_rmatmat` (Aᴴ Y) or by a rule of `rules.adjoint`. Operators are immutable.

    >>> import numpy as np, kronlin as kl
    >>> A = kl.Dense(np.array([[2.0, 1.0], [1.0, 2.0]]))
    >>> A.shape, A.dtype.name, A.device, A.nbytes
    ((2, 2), 'float64', 'cpu', 32)
    >>> A @ np.array([1.0, 0.0]), np.array([1.0, 0.0]) @ A
    (array([2., 1.]), array([2., 1.]))
    >>> (2 * A + A @ A.T - A / 2).to_dense()
    array([[8. , 5.5],
           [5.5, 8. ]])
    >>> A.is_self_adjoint, A.is_psd, A.is_pd, A.damped(1.0).properties
    (True, None, None, Properties(self_adjoint=True, psd=None, pd=None))
    >>> B = kl.KhatriRao(np.ones((1, 2)), np.eye(2))  # the names of SciPy's LinearOperator
    >>> B.matvec(np.ones(2)), B.rmatvec(np.ones(2)), B.matmat(np.eye(2)).shape, B.rmatmat(np.eye(2)).shape
    (array([1., 1.]), array([1., 1.]), (2, 2), (2, 2))
    """

    __array_ufunc__ = None
    """Makes NumPy hand `array @ A` to A."""

    def _matmat(self, x: Array) -> Array:
        """Compute A X for X (..., columns, k) of the same kind; `@` has checked both."""
        raise NotImplementedError(f"{type(self).__name__} defines no _matmat")

    def _rmatmat(self, y: Array) -> Array:
        """Compute Aᴴ Y for Y (..., rows, k) of the same kind."""
        raise NotImplementedError(f"{type(self).__name__} defines neither _rmatmat nor a rule of adjoint")

    def _derive(self) -> Properties:
        """Say which properties follow from the parts."""
        return UNKNOWN

    # What it is

    @property
    def dtype(self) -> Any:
        """Type of the entries, an object of the array library."""
        return self.kind.dtype

    @property
    def device(self) -> Any:
        """Device that holds the arrays."""
        return self.kind.device

    @property
    def properties(self) -> Properties:
        """What is known: derived from the parts, or promised."""
        if self.shape[0] != self.shape[1]:
            return NOTHING
        return cast(Properties, self._once("properties", lambda: self._promised | self._derive()))

    @property
    def is_self_adjoint(self) -> Answer:
        """A = Aᴴ: True, False or None (unknown)."""
        return self.properties.self_adjoint

    @property
    def is_psd(self) -> Answer:
        """xᴴ A x ≥ 0 for all x: True, False or None (unknown)."""
        return self.properties.psd

    @property
    def is_pd(self) -> Answer:
        """xᴴ A x > 0 for all x ≠ 0: True, False or None (unknown)."""
        return self.properties.pd

    def __repr__(self) -> str:
        rows, columns = self.shape
        words = ", ".join(filter(None, [f"{rows}×{columns}", self.kind.dtype_name, self.properties.word]))
        inside = shorten(self._inside, _LONGEST_INSIDE, placeholder=" …")
        return f"{type(self).__name__}({words}{': ' if inside else ''}{inside})"

    def _repr_html_(self) -> str:
        return Tree(self)._repr_html_()

    # Products

    def __matmul__(self, other: Any) -> Any:
        if is_array(other):
            return self._apply(other)
        other = _as_operator(other)
        if other is None:
            return NotImplemented
        self._require(self.shape[1] == other.shape[0], "@", other.shape, "their inner sizes differ")
        return rules.compose(*promote("a product", self, other))

    def __rmatmul__(self, other: Any) -> Any:
        if not is_array(other):
            other = _as_operator(other)
            return NotImplemented if other is None else other @ self
        if other.ndim == 1:
            return conj(self.H @ conj(other))  # not by A.T, which copies a complex operator each time
        return adjoint(self.H @ adjoint(other))

    def _apply(self, x: Array) -> Array:
        """A @ x for an array x of shape (columns,) or (columns, k), after checking it."""
        own, given = self.kind, kind(x)
        self._require(x.ndim in (1, 2) and x.shape[0] == self.shape[1], "@", tuple(x.shape), "pass (n,) or (n, k)")
        if given != own and given.complex != own.complex:
            raise ValueError(
                f"a {own} operator meets a {given} array: bring one of them to the other's kind "
                "with A.to(...), A.astype(...) or the array's own astype"
            )
        block = x if x.ndim == 2 else x[:, None]
        if given == own:
            y = self._matmat(block)
        elif own.is_complex:
            y = self._matmat(cast_array(block, own))
        else:
            xp, k = own.xp, block.shape[1]
            y = self._matmat(xp.concat([xp.real(block), xp.imag(block)], axis=1))
            y = cast_array(y[:, :k], given) + 1j * cast_array(y[:, k:], given)
        return y if x.ndim == 2 else y[:, 0]

    def matvec(self, x: Array) -> Array:
        """A x, as in SciPy."""
        return self @ x

    def matmat(self, x: Array) -> Array:
        """A X for X of shape (columns, k), as in SciPy."""
        return self @ x

    def rmatvec(self, y: Array) -> Array:
        """Aᴴ y, as in SciPy."""
        return self.H @ y

    def rmatmat(self, y: Array) -> Array:
        """Aᴴ Y for Y of shape (rows, k), as in SciPy."""
        return self.H @ y

    def to_scipy(self) -> Any:
        """The operator as a `scipy.sparse.linalg.LinearOperator` on NumPy arrays, for SciPy's solvers.

        Arrays are copied to the library and device of the operator and back; the dtype stays that of the operator.

        >>> import numpy as np, scipy.sparse.linalg, kronlin as kl
        >>> A = kl.Kronecker(np.diag([1.0, 2.0]), np.eye(2))
        >>> scipy.sparse.linalg.cg(A.to_scipy(), np.ones(4))[0]
        array([1. , 1. , 0.5, 0.5])
        """
        return linear_operator("numpy", self.kind, self.shape, self.matmat, self.rmatmat)

    def to_cupyx(self) -> Any:
        """A CuPy operator as a `cupyx.scipy.sparse.linalg.LinearOperator`, for the solvers of cupyx.

        Raises:
            ImportError: CuPy cannot be imported.
            ValueError: the operator is on another library; `A.to("cupy")` moves it.

        >>> import numpy as np, kronlin as kl
        >>> kl.Dense(np.eye(2)).to("cupy").to_cupyx()  # doctest: +SKIP
        """
        return linear_operator("cupy", self.kind, self.shape, self.matmat, self.rmatmat)

    # Arithmetic

    def __add__(self, other: Any) -> "Operator":
        return self._plus(other, 1)

    def __sub__(self, other: Any) -> "Operator":
        return self._plus(other, -1)

    __radd__ = __add__

    def __rsub__(self, other: Any) -> "Operator":
        return -self + other

    def __neg__(self) -> "Operator":
        return self * -1

    def __mul__(self, factor: Any) -> "Operator":
        number = scalar(factor)
        if number is None:
            return NotImplemented
        if not isfinite(abs(number)):
            raise ValueError(f"{type(self).__name__} times {number}: a factor must be finite")
        return cast(Operator, rules.scale(self, number))

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> "Operator":
        number = scalar(divisor)
        return NotImplemented if number is None else self * (1 / number)

    def _plus(self, other: Any, sign: int) -> "Operator":
        other = rules.wrap(other) if is_array(other) else _as_operator(other)
        if other is None:
            return NotImplemented
        self._require(self.shape == other.shape, "+" if sign > 0 else "-", other.shape, "their shapes differ")
        return cast(Operator, rules.add(*promote("a sum", self, other if sign > 0 else -other)))

    def _require(self, condition: bool, symbol: str, other: Any, cause: str) -> None:
        """Raise a ValueError that names both shapes, unless `condition`."""
        if not condition:
            mine = "×".join(map(str, self.shape))
            theirs = "×".join(map(str, other)) if len(other) == 2 else str(other)
            raise ValueError(f"{type(self).__name__}({mine}) {symbol} {theirs}: {cause}")


def _as_operator(x: Any) -> Operator | None:
    """An operator, or what a sparse matrix or a linear map of another library is wrapped in; None for all else."""
    if isinstance(x, Operator):
        return x
    return cast(Operator, rules.wrap(x)) if is_sparse(x) or is_linear_map(x) else None


def scalar(x: Any) -> complex | float | int | None:
    """Return a Python number from a number or a 0-d array; None for anything else."""
    if isinstance(x, int | float | complex) and not isinstance(x, bool):
        return int(x) if isinstance(x, int) else float(x) if isinstance(x, float) else complex(x)
    if is_array(x) and x.ndim == 0:
        if namespace(x).isdtype(x.dtype, "integral"):
            return int(x)
        return complex(x) if kind(x).is_complex else float(x)
    return None


def assume(operator: Any, promise: str) -> Operator:
    """Return the operator with a promise of yours: "self-adjoint", "psd" or "pd".

    Rules and solvers rely on it; it is not checked against the entries, except that a contradiction with what
    is known is an error, and a factorisation that finds it false raises.

    Args:
        operator: a square operator or array.
        promise: one of "self-adjoint" (A = Aᴴ), "psd" (xᴴ A x ≥ 0), "pd" (xᴴ A x > 0 for x ≠ 0).

    Raises:
        ValueError: the promise is unknown, the operator is not square, or it is known not to be so.

    >>> import numpy as np, kronlin as kl
    >>> kl.assume(kl.Function(lambda x: 2 * x, shape=(3, 3), dtype="float64"), "pd").is_psd
    True
    """
    if promise not in _PROMISES:
        raise ValueError(f"unknown promise {promise!r}: choose one of {', '.join(map(repr, _PROMISES))}")
    operator = rules.wrap(operator)
    if operator.shape[0] != operator.shape[1]:
        raise ValueError(f"{operator!r} is not square, so it cannot be {promise}")
    try:
        operator.properties | _PROMISES[promise]
    except ValueError as error:
        raise ValueError(f"cannot assume that {operator!r} is {promise}: {error}") from None
    return cast(Operator, operator._with(_PROMISES[promise]))
