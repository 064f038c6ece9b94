"""NumPy, with SciPy's LAPACK; SciPy's sparse matrices are opened when first asked for."""

from importlib import import_module
from math import prod
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
import scipy.linalg

from kronlin.arrays import _recur
from kronlin.arrays.library import Array, Library
from kronlin.arrays.sparse_lu import SparseLU


class NumPy(Library):
    """NumPy on the host."""

    name = "numpy"
    linalg_errors = (np.linalg.LinAlgError,)

    def namespace(self) -> Any:
        return xp

    def to_numpy(self, x: Array) -> Any:
        return np.array(x)

    def from_numpy(self, x: Any, device: Any = None) -> Array:
        return np.array(x)

    def inner_products(self, x: Array, y: Array) -> Array:
        return _recur.inner_products(x, y)

    def advance(self, y: Array, a: Array, x: Array, chosen: Array) -> Array:
        return _recur.advance(y, a, x, chosen)

    def turn(self, p: Array, b: Array, y: Array, chosen: Array) -> Array:
        return _recur.turn(p, b, y, chosen)

    def lies_by_columns(self, x: Array) -> bool:
        return bool(x.strides[-2] == x.itemsize)

    def solve_triangular(self, lower: Array, b: Array, *, adjoint: bool = False) -> Array:
        if lower.ndim == 2:
            return scipy.linalg.solve_triangular(
                lower, b, trans="C" if adjoint else "N", lower=True, check_finite=False
            )
        batch = np.broadcast_shapes(lower.shape[:-2], b.shape[:-2])
        lowers = np.broadcast_to(lower, (*batch, *lower.shape[-2:])).reshape(prod(batch), *lower.shape[-2:])
        sides = np.broadcast_to(b, (*batch, *b.shape[-2:])).reshape(prod(batch), *b.shape[-2:])
        solved = [self.solve_triangular(*pair, adjoint=adjoint) for pair in zip(lowers, sides, strict=True)]
        return np.stack(solved).reshape(*batch, *b.shape[-2:])

    def csr(self, data: Array, columns: Array, starts: Array, shape: tuple[int, int]) -> Any:
        return import_module("scipy.sparse").csr_array((data, columns, starts), shape=shape)

    def sparse_lu(self, matrix: Any) -> Any:
        return SparseLU(matrix)

    def linear_operator(self, shape: tuple[int, int], **products: Any) -> Any:
        return import_module("scipy.sparse.linalg").LinearOperator(shape, **products)
