"""cupyx.scipy.sparse and its linear operators, by SciPy's, as far as kronlin uses them."""

from typing import Any

import scipy.sparse

from tests.gpu.fake_array import ndarray, on_device


class csr_matrix:
    """A matrix in compressed rows."""

    __module__ = "cupyx.scipy.sparse"
    __array_priority__ = 100

    def __init__(self, parts: Any, shape: tuple[int, int] | None = None) -> None:
        if isinstance(parts, tuple):
            parts = scipy.sparse.csr_matrix(tuple(part.host for part in parts), shape=shape)
        self.host = parts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.host, name)
        if callable(found):
            return lambda *args, **options: _dressed(found(*map(_bare, args), **options))
        return _dressed(found)

    def __matmul__(self, other: Any) -> Any:
        return _dressed(self.host @ _bare(other))

    def __sub__(self, other: "csr_matrix") -> "csr_matrix":
        return csr_matrix(self.host - other.host)

    def __add__(self, other: "csr_matrix") -> "csr_matrix":
        return csr_matrix(self.host + other.host)

    def __mul__(self, factor: Any) -> "csr_matrix":
        return csr_matrix(self.host * factor)

    __rmul__ = __mul__


def _bare(x: Any) -> Any:
    return x.host if isinstance(x, csr_matrix | ndarray) else x


def _dressed(x: Any) -> Any:
    return csr_matrix(x.tocsr()) if scipy.sparse.issparse(x) else on_device(lambda: x)()


class LinearOperator:
    """The products of a matrix."""

    __module__ = "cupyx.scipy.sparse.linalg"

    def __init__(self, shape: tuple[int, int], **products: Any) -> None:
        self.shape = shape
        vars(self).update(products)
