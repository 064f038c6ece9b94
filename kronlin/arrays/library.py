"""What kronlin asks of an array library beyond the array API standard."""

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

    def all_finite(self, x: Array) -> bool:
        """Tell whether no entry is NaN or infinite."""
        xp = self.namespace()
        return bool(xp.all(xp.isfinite(x)))

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

    def lies_by_columns(self, x: Array) -> bool:
        """Tell whether the entries of a column of `x` (..., n, k) follow one another in memory; False if unknown."""
        return False

    def solve_triangular(self, lower: Array, b: Array, *, adjoint: bool = False) -> Array:
        """Solve L x = b, or Lᴴ x = b, for a lower triangular L (..., n, n) and b (..., n, k)."""
        xp = self.namespace()
        if adjoint:
            lower = xp.matrix_transpose(lower)
            if xp.isdtype(lower.dtype, "complex floating"):
                lower = xp.conj(lower)
        return xp.linalg.solve(lower, b)

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
