"""What kronlin asks of an array library beyond the array API standard."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

Array = Any
"""An array of any library that follows the array API standard."""


class Library:
    """The defaults, written in the array API standard alone; one subclass a library in `on_<library>.py`."""

    name: str
    linalg_errors: tuple[type[Exception], ...] = ()

    def namespace(self) -> Any:
        """Return the library's array API namespace, importing the library if need be."""
        raise NotImplementedError

    def to_numpy(self, x: Array) -> Any:
        """Copy `x` into a NumPy array on the host."""
        raise NotImplementedError

    def from_numpy(self, x: Any, device: Any = None) -> Array:
        """Copy a NumPy array into this library, on `device` (its default one if None)."""
        return self.namespace().asarray(x, device=device)

    def enable(self, dtype: str) -> None:
        """Let the library compute in this dtype, where that is a switch of the whole process."""

    def devices(self) -> list[str]:
        """Name the accelerators that the library sees (empty: host only)."""
        return []

    def device_named(self, name: str) -> Any:
        """Return the device called `name`, as the library's functions take it."""
        return name

    def is_accelerator(self, device: Any) -> bool:
        """Tell whether reading a scalar from `device` stops the host."""
        return False

    def double(self, dtype: Any) -> Any:
        """Return the widest type of the same kind (real or complex) in which the library factorises."""
        xp = self.namespace()
        return xp.complex128 if xp.isdtype(dtype, "complex floating") else xp.float64

    def _adjoint(self, x: Array) -> Array:
        """The conjugate transpose of the last two axes."""
        xp = self.namespace()
        turned = xp.matrix_transpose(x)
        return xp.conj(turned) if xp.isdtype(x.dtype, "complex floating") else turned

    def _hermitian_part(self, x: Array) -> Array:
        return (x + self._adjoint(x)) / 2

    def all_finite(self, x: Array) -> bool:
        """Tell whether no entry is NaN or infinite."""
        xp = self.namespace()
        return bool(xp.all(xp.isfinite(x)))

    def lies_by_columns(self, x: Array) -> bool:
        """Tell whether the entries of a column of `x` (..., n, k) follow one another in memory; False if unknown."""
        return False

    def inner_products(self, x: Array, y: Array) -> Array:
        """Return xᴴ y of the columns of two blocks (..., n, k), as (..., k)."""
        return self.namespace().vecdot(x, y, axis=-2)

    def advance(self, y: Array, a: Array, x: Array, chosen: Array) -> Array:
        """Return Y + X diag(a) in the chosen columns and Y in the others; Y may be written over."""
        return self.namespace().where(chosen, y + a * x, y)

    def turn(self, p: Array, b: Array, y: Array, chosen: Array) -> Array:
        """Return Y + P diag(b) in the chosen columns and zero in the others; P may be written over."""
        xp = self.namespace()
        return xp.where(chosen, y + b * p, xp.zeros_like(y))

    def checked(self) -> AbstractContextManager[Any]:
        """Within it the factorisations of the library raise one of `linalg_errors` where they fail."""
        return nullcontext()

    def solve_triangular(self, lower: Array, b: Array, *, adjoint: bool = False) -> Array:
        """Solve L x = b, or Lᴴ x = b, for a lower triangular L (..., n, n) and b (..., n, k)."""
        xp = self.namespace()
        return xp.linalg.solve(self._adjoint(lower) if adjoint else lower, b)

    def eigh(self, a: Array) -> tuple[Array, Array]:
        """Return w ascending and Q with (A + Aᴴ)/2 = Q diag(w) Qᴴ, in the dtype of A (..., n, n)."""
        w, q = self.namespace().linalg.eigh(self._hermitian_part(a))
        return w, q

    def cholesky(self, a: Array) -> Array:
        """Return the lower triangular L with (A + Aᴴ)/2 = L Lᴴ, in the dtype of A (..., n, n).

        Where there is none, one of `linalg_errors` is raised or the diagonal of L has a NaN: `kronlin.arrays.cholesky`
        looks at both.
        """
        return self.namespace().linalg.cholesky(self._hermitian_part(a))

    def inverse_cholesky(self, lower: Array) -> Array:
        """Return (L Lᴴ)⁻¹, Hermitian to the last bit, for a lower triangular L (..., n, n) with a nonzero diagonal."""
        xp = self.namespace()
        eye = xp.eye(lower.shape[-1], dtype=lower.dtype, device=lower.device)
        half = self.solve_triangular(lower, xp.broadcast_to(eye, lower.shape))
        return self._hermitian_part(self._adjoint(half) @ half)

    def concurrently(self, calls: Sequence[Callable[[], Any]], costs: Sequence[float]) -> list[Any]:
        """Return the results of independent calls, in order; a library may run them side by side, the dearest first.

        Calls that are made inside of one of them may be given to `concurrently` again. The error of the first call that
        failed is raised.

        Args:
            calls: functions without arguments that share nothing but arrays which none of them writes to.
            costs: about how many multiplications each takes, by which a library decides whether it pays.
        """
        return [call() for call in calls]

    def shifted(self, a: Array, c: float) -> Array:
        """Return A + c I for A (..., n, n)."""
        return a + c * self.namespace().eye(a.shape[-1], dtype=a.dtype, device=a.device)

    def csr(self, data: Array, columns: Array, starts: Array, shape: tuple[int, int]) -> Any:
        """Make a sparse matrix whose row i holds data[starts[i]:starts[i + 1]] in those `columns`."""
        raise TypeError(
            f"{self.name} has no sparse matrices that serve here: keep the operator on numpy or cupy, "
            "or give its to_dense() to the other library"
        )

    def sparse_lu(self, matrix: Any) -> Any:
        """Factor a square sparse matrix; None where the library leaves that to the dense method."""
        return None

    def linear_operator(self, shape: tuple[int, int], **products: Any) -> Any:
        """Make the linear operator of the library's own iterative solvers."""
        raise TypeError(f"{self.name} has no linear operators of its own")
