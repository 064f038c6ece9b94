"""Foreign and aslinearoperator: linear maps and sparse matrices of SciPy and cupyx, wherever an operator is taken."""

from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.arrays import Array, cast, convert, home_of, is_linear_map, is_sparse, kind_named, namespace
from kronlin.operators.sparse import Sparse

_DTYPES = ("float32", "float64", "complex64", "complex128")


class Foreign(Operator):
    """A linear map of another library, known by `matmat` or `matvec`: SciPy's LinearOperator and what is like it.

    Results are brought to the dtype that the map declares. Operators that were moved to another array library hand
    their arguments through the host.

    Args:
        linear_map: has `.shape`, `.dtype`, `.matmat(X)` or `.matvec(x)`; with `.rmatmat(Y)` or `.rmatvec(y)` it has an
            adjoint. Without block products the columns go one by one.

    Raises:
        TypeError: the dtype is unknown, or is that of integers.

    >>> import numpy as np, scipy.sparse.linalg
    >>> reverse = scipy.sparse.linalg.LinearOperator((3, 3), matvec=np.flipud, rmatvec=np.flipud, dtype="float64")
    >>> Foreign(reverse) @ np.array([1.0, 2.0, 3.0])
    array([3., 2., 1.])
    """

    _stackable = False

    def __init__(self, linear_map: Any) -> None:
        dtype = _dtype_name(linear_map)
        if dtype not in _DTYPES:
            raise TypeError(
                f"a {type(linear_map).__name__} of {dtype}: an operator has float32, float64, complex64 or complex128 "
                'entries, so say which when you make it (LinearOperator(..., dtype="float64"))'
            )
        home = home_of(linear_map)
        rows, columns = linear_map.shape
        size = (int(rows), int(columns))
        self._setup(kind_named(dtype, home).zeros(0), linear_map=linear_map, home=home, size=size)

    def _setup(self, empty: Array, *, linear_map: Any, home: str, size: tuple[int, int]) -> None:
        self.linear_map = linear_map
        self.home = home
        self._define(empty, shape=size, linear_map=linear_map, home=home, size=size)

    @property
    def _note(self) -> str:
        return type(self.linear_map).__name__

    @property
    def _inside(self) -> str:
        return self._note

    def _matmat(self, x: Array) -> Array:
        return self._carry(x, self._product("matmat", "matvec"), self.shape[0])

    def _rmatmat(self, y: Array) -> Array:
        if self.is_self_adjoint:
            return self._matmat(y)
        try:
            return self._carry(y, self._product("rmatmat", "rmatvec"), self.shape[1])
        except (NotImplementedError, TypeError) as error:
            if isinstance(error, TypeError) and self._has_adjoint(y):
                raise
            raise NotImplementedError(
                f"{self!r} has no adjoint: make the linear map with rmatvec=, or promise "
                "kronlin.assume(A, 'self-adjoint')"
            ) from None

    def _has_adjoint(self, y: Array) -> bool:
        """Ask for one vector: without rmatvec, SciPy's block product fails with a TypeError that does not say so."""
        if hasattr(self.linear_map, "rmatvec"):
            try:
                self.linear_map.rmatvec(convert(y[:, 0], self.home))
            except NotImplementedError:
                return False
        return True

    def _product(self, block: str, single: str) -> Any:
        """The block product of the map, or one that takes the columns one by one."""
        product = getattr(self.linear_map, block, None)
        if callable(product):
            return product
        vector_product = getattr(self.linear_map, single, None)
        if not callable(vector_product):
            raise NotImplementedError(f"the linear map has neither {block} nor {single}")

        def by_columns(x: Array) -> Array:
            return namespace(x).stack([vector_product(x[:, j]) for j in range(x.shape[1])], axis=1)

        return by_columns

    def _carry(self, x: Array, product: Any, rows: int) -> Array:
        """The product of X with the map, at its home, with the result checked and brought back."""
        if x.shape[-1] == 0:
            return self.kind.zeros(rows, 0)
        y = product(convert(x, self.home))
        if tuple(y.shape) != (rows, x.shape[-1]):
            raise ValueError(
                f"{self!r} returned shape {tuple(y.shape)} for an argument of shape {tuple(x.shape)}, "
                f"where {(rows, x.shape[-1])} is due"
            )
        return cast(convert(y, x), self.kind)


def _dtype_name(x: Any) -> str:
    """The name of the dtype of a foreign object."""
    return str(getattr(x.dtype, "__name__", x.dtype))


@rules.to_dense.register(Foreign)
def foreign_to_dense(a: Foreign) -> Array:
    """Multiply with the identity from the right: there may be no adjoint."""
    return a._matmat(a.kind.eye(a.shape[1]))


@rules.wrap.register(object, level=1)
def wrap_foreign(x: Any) -> Operator:
    """A sparse matrix becomes Sparse, another linear map Foreign."""
    if is_sparse(x):
        return Sparse(x)
    return Foreign(x) if is_linear_map(x) else NotImplemented


def aslinearoperator(x: Any) -> Operator:
    """Return the operator that `x` is or stands for.

    Everything that takes an operator does this itself: products and sums with operators, `kl.Kronecker(x, …)`,
    `kl.cg(x, b)`.

    Args:
        x: an operator (returned as it is), an array (a `Dense`), a sparse matrix or sparse array of SciPy or cupyx
            (a `Sparse`), or a linear map with a shape, a dtype and `matvec` or `matmat`, such as SciPy's
            `LinearOperator` (a `Foreign`).

    Raises:
        TypeError: `x` is nothing of the kind, or has integer entries.
        ValueError: an array is not two-dimensional, or has a NaN or an Inf.

    >>> import numpy as np, scipy.sparse, kronlin as kl
    >>> S = scipy.sparse.eye_array(3, format="csr")
    >>> kl.aslinearoperator(S)
    Sparse(3×3, float64, self-adjoint: 3 entries)
    >>> kl.Kronecker(S, np.eye(2)) @ np.ones(6)
    array([1., 1., 1., 1., 1., 1.])
    """
    operator: Operator = rules.wrap(x)
    return operator
