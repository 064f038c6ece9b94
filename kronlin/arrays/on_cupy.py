"""CuPy; cupyx is imported only when an array is CuPy's, because it needs the CUDA libraries."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np

from kronlin.arrays._optional import optional_import
from kronlin.arrays._streams import SideStreams
from kronlin.arrays.library import Array, Library

_JACOBI = 32
"""Largest matrices for which the batched Jacobi method is the faster one, by PyTorch's measurements."""

_BATCHED = 256
"""Largest matrices that are factored by one batched call; not yet measured."""

_SMALL = 1e6
"""Multiplications of a call below which a stream of its own would cost more than it gains; not yet measured."""

_ROUNDING = 30
"""Errors of a decomposition are rounding up to so many times n eps ‖A‖."""

_STREAMS = SideStreams()


class CuPy(Library):
    """CuPy on an NVIDIA GPU."""

    name = "cupy"
    linalg_errors = (np.linalg.LinAlgError,)  # CuPy raises NumPy's

    def namespace(self) -> Any:
        optional_import("cupy", extra="gpu")
        return optional_import("array_api_compat.cupy", extra="gpu")

    def to_numpy(self, x: Array) -> Any:
        return x.get()

    def devices(self) -> list[str]:
        runtime = optional_import("cupy", extra="gpu").cuda.runtime
        try:
            count = runtime.getDeviceCount()
        except runtime.CUDARuntimeError:
            return []
        return [runtime.getDeviceProperties(i)["name"].decode() for i in range(count)]

    def is_accelerator(self, device: Any) -> bool:
        return True

    def lies_by_columns(self, x: Array) -> bool:
        return bool(x.strides[-2] == x.itemsize)

    def checked(self) -> AbstractContextManager[Any]:
        """Without it cuSOLVER's word that a factorisation failed is not read, and the answer is garbage."""
        errors: AbstractContextManager[Any] = optional_import("cupyx", extra="gpu").errstate(linalg="raise")
        return errors

    def solve_triangular(self, lower: Array, b: Array, *, adjoint: bool = False) -> Array:
        if 0 in (*lower.shape, *b.shape):
            return super().solve_triangular(lower, b, adjoint=adjoint)
        xp, batch = self.namespace(), np.broadcast_shapes(lower.shape[:-2], b.shape[:-2])
        solver = optional_import("cupyx.scipy.linalg", extra="gpu").solve_triangular
        lower, b = (xp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (lower, b))  # it wants equal stacks
        return solver(lower, b, trans="C" if adjoint else "N", lower=True)

    def eigh(self, a: Array) -> tuple[Array, Array]:
        """Decompose a stack of small matrices by cuSOLVER's batched Jacobi method, others one by one by ?syevd.

        The batched method has returned the diagonal for eigenvalues without an error. So every result is checked, by
        three products and one synchronisation; a stack of which one matrix is wrong is decomposed one by one.

        Raises:
            LinAlgError: ?syevd is wrong too.

        Source: cupy/cupy issue 4847 (2021).
        """
        eigh = self.namespace().linalg.eigh
        if a.ndim > 2 and a.shape[-1] <= _JACOBI:
            found = eigh(a)
            if self._is_decomposition(a, *found):
                return found[0], found[1]
        w, q = self._one_by_one(lambda matrix: tuple(eigh(matrix)), a)
        if not self._is_decomposition(a, w, q):
            raise np.linalg.LinAlgError(
                f"cuSOLVER's eigenvectors of {tuple(a.shape)} {a.dtype} entries do not diagonalise them: "
                'decompose it on the host, by A.to("numpy").eigh().to("cupy"), and report the matrix to CuPy'
            )
        return w, q

    def cholesky(self, a: Array) -> Array:
        """Factor a stack of small matrices in one call and check the product, larger ones one by one."""
        xp = self.namespace()
        with self.checked():
            if a.ndim > 2 and a.shape[-1] <= _BATCHED:
                lower = xp.linalg.cholesky(a)
                wide = xp.astype(lower, self.double(a.dtype), copy=False)
                if bool(_is_small(xp, wide @ self._adjoint(wide) - a, a, float(xp.finfo(a.dtype).eps))):
                    return lower
        return self._one_by_one(self._cholesky_of_one, a)[0]

    def _cholesky_of_one(self, a: Array) -> tuple[Array]:
        with self.checked():  # a setting of the thread
            return (self.namespace().linalg.cholesky(a),)

    def concurrently(self, calls: Sequence[Callable[[], Any]], costs: Sequence[float]) -> list[Any]:
        """Spread calls of some size over several streams; a wait for the device before and after."""
        if _STREAMS.busy or len(calls) < 2 or sorted(costs)[-2] < _SMALL:
            return super().concurrently(calls, costs)
        return _STREAMS.run(calls, costs)

    def _one_by_one(self, function: Callable[[Array], tuple[Array, ...]], a: Array) -> tuple[Array, ...]:
        """The results of a function of one matrix for every matrix of a stack, stacked again."""
        xp, n = self.namespace(), a.shape[-1]
        if a.ndim == 2 or 0 in a.shape:
            return function(a)
        flat = xp.reshape(a, (-1, n, n))
        count = flat.shape[0]
        results = self.concurrently([partial(function, flat[i]) for i in range(count)], [float(n) ** 3] * count)
        stacks = (xp.stack(list(parts)) for parts in zip(*results, strict=True))
        return tuple(xp.reshape(stack, (*a.shape[:-2], *stack.shape[1:])) for stack in stacks)

    def _is_decomposition(self, a: Array, w: Array, q: Array) -> bool:
        """Whether A Q = Q diag(w), Qᴴ Q = I and w ascends, to rounding (one synchronisation)."""
        xp = self.namespace()
        eps = float(xp.finfo(a.dtype).eps)
        a, q = (xp.astype(x, self.double(x.dtype), copy=False) for x in (a, q))  # whatever TF32 does to single products
        eye = xp.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        good = _is_small(xp, a @ q - q * w[..., None, :], a, eps) & _is_small(xp, self._adjoint(q) @ q - eye, eye, eps)
        return bool(good & xp.all(w[..., 1:] >= w[..., :-1]))

    def csr(self, data: Array, columns: Array, starts: Array, shape: tuple[int, int]) -> Any:
        return optional_import("cupyx.scipy.sparse", extra="gpu").csr_matrix((data, columns, starts), shape=shape)

    def linear_operator(self, shape: tuple[int, int], **products: Any) -> Any:
        return optional_import("cupyx.scipy.sparse.linalg", extra="gpu").LinearOperator(shape, **products)


def _is_small(xp: Any, error: Array, a: Array, eps: float) -> Array:
    """Whether the largest entry of an error is rounding beside that of A in each of a stack, on the device."""
    if 0 in a.shape:
        return xp.all(a == a)
    largest = (xp.max(xp.abs(x), axis=(-2, -1)) for x in (error, a))
    return xp.all(next(largest) <= _ROUNDING * a.shape[-1] * eps * next(largest))
