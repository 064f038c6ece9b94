"""NumPy, with SciPy's LAPACK and sparse matrices, which are opened when first asked for."""

from collections.abc import Callable, Sequence
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

from kronlin.arrays import _lapack, _recur, _team, _triangles
from kronlin.arrays.library import Array, Library
from kronlin.arrays.sparse_lu import SparseLU

_SMALL = 64
"""Rows up to which NumPy's own factorisations are taken: one call for a stack, and no second pool of threads awake."""


class NumPy(Library):
    """NumPy on the host."""

    name = "numpy"
    linalg_errors = (np.linalg.LinAlgError,)

    def namespace(self) -> Any:
        """NumPy itself, which follows the standard from version 2.1 on in all that kronlin calls.

        The wrapper of array-api-compat copies every name of NumPy, submodules too, and with that it imports
        `numpy.f2py` and `numpy.testing`: that alone would take as long as all of kronlin.
        """
        return np

    def to_numpy(self, x: Array) -> Any:
        return np.array(x)

    def from_numpy(self, x: Any, device: Any = None) -> Array:
        return np.array(x)

    def all_finite(self, x: Array) -> bool:
        """NaN and Inf survive a sum, which costs less than a look at all entries; a sum may also overflow."""
        with np.errstate(all="ignore"):
            return bool(np.isfinite(x.sum())) or bool(np.isfinite(x).all())

    def lies_by_columns(self, x: Array) -> bool:
        return bool(x.strides[-2] == x.itemsize)

    def inner_products(self, x: Array, y: Array) -> Array:
        return _recur.inner_products(x, y) if _recur.are_interleaved(x, y) else super().inner_products(x, y)

    def advance(self, y: Array, a: Array, x: Array, chosen: Array) -> Array:
        return _recur.advance(y, a, x, chosen)

    def turn(self, p: Array, b: Array, y: Array, chosen: Array) -> Array:
        return _recur.turn(p, b, y, chosen)

    def solve_triangular(self, lower: Array, b: Array, *, adjoint: bool = False) -> Array:
        if lower.ndim == 2 and b.ndim == 2:  # older releases of SciPy take no stacks at all
            solver = import_module("scipy.linalg").solve_triangular
            return solver(lower, b, trans="C" if adjoint else "N", lower=True, check_finite=False)
        batch = np.broadcast_shapes(lower.shape[:-2], b.shape[:-2])
        lowers = np.broadcast_to(lower, (*batch, *lower.shape[-2:])).reshape(prod(batch), *lower.shape[-2:])
        sides = np.broadcast_to(b, (*batch, *b.shape[-2:])).reshape(prod(batch), *b.shape[-2:])
        solved = [self.solve_triangular(*pair, adjoint=adjoint) for pair in zip(lowers, sides, strict=True)]
        return np.stack(solved).reshape(*batch, *b.shape[-2:])

    def is_hermitian(self, a: Array, tolerance: float) -> bool:
        return _triangles.is_hermitian(a, tolerance)

    def eigh(self, a: Array) -> tuple[Array, Array]:
        return (None if _is_small(a) else _lapack.eigh(a)) or super().eigh(a)

    def cholesky(self, a: Array) -> Array:
        factor = None if _is_small(a) else _lapack.cholesky(a)
        return super().cholesky(a) if factor is None else factor

    def inverse_cholesky(self, lower: Array) -> Array:
        if _is_small(lower):
            half = np.linalg.inv(lower)
            return self._hermitian_part(self._adjoint(half) @ half)
        inverse = _lapack.inverse_cholesky(lower)
        return super().inverse_cholesky(lower) if inverse is None else inverse

    def concurrently(self, calls: Sequence[Callable[[], Any]], costs: Sequence[float]) -> list[Any]:
        return _team.concurrently(calls, costs)

    def shifted(self, a: Array, c: float) -> Array:
        shifted = np.array(a, order="C")
        np.einsum("...ii->...i", shifted)[...] += c
        return shifted

    def csr(self, data: Array, columns: Array, starts: Array, shape: tuple[int, int]) -> Any:
        return import_module("scipy.sparse").csr_array((data, columns, starts), shape=shape)

    def sparse_lu(self, matrix: Any) -> Any:
        return SparseLU(matrix)

    def linear_operator(self, shape: tuple[int, int], **products: Any) -> Any:
        return import_module("scipy.sparse.linalg").LinearOperator(shape, **products)


def _is_small(a: Array) -> bool:
    return bool(a.shape[-1] <= _SMALL)
