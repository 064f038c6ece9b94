"""Arrays with short entries: halves of small integers, so that sums and products are exact and examples readable."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

DTYPES = ("float64", "complex128", "float32", "complex64")
Matrix = np.ndarray[Any, Any]


def dtypes() -> st.SearchStrategy[str]:
    """Names of the four dtypes, the simplest first."""
    return st.sampled_from(DTYPES)


def sizes(most: int = 4) -> st.SearchStrategy[int]:
    """Numbers of rows or columns, from 1."""
    return st.integers(1, most)


def shapes(most: int = 4) -> st.SearchStrategy[tuple[int, int]]:
    """Shapes of matrices, square ones often."""
    return st.one_of(sizes(most).map(lambda n: (n, n)), st.tuples(sizes(most), sizes(most)))


@st.composite
def arrays(draw: st.DrawFn, *shape: int, dtype: str = "float64", nonzero: bool = False) -> Matrix:
    """NumPy arrays of a shape with entries that are halves between -2 and 2, complex ones for a complex dtype."""
    count = int(np.prod(shape))
    halves = st.integers(-4, 4)
    entries = st.lists(halves.filter(bool) if nonzero else halves, min_size=count, max_size=count)
    real = np.array(draw(entries), dtype="float64").reshape(shape) / 2
    if not dtype.startswith("complex"):
        return real.astype(dtype)
    imaginary = np.array(draw(st.lists(halves, min_size=count, max_size=count)), dtype="float64").reshape(shape) / 2
    return (real + 1j * imaginary).astype(dtype)


@st.composite
def definite_arrays(draw: st.DrawFn, n: int, dtype: str = "float64", *, condition: float | None = None) -> Matrix:
    """Hermitian positive definite matrices: I + B Bᴴ, exact, or one with a chosen condition number.

    With `condition` the eigenvalues lie on a logarithmic grid from 1 down to 1 / condition, in a random eigenbasis.
    """
    if condition is None:
        b = draw(arrays(n, n, dtype=dtype))
        return np.eye(n, dtype=dtype) + b @ b.conj().T
    q = draw(bases(n, n, _double(dtype)))
    a = (q * np.logspace(0, -np.log10(condition), n)) @ q.conj().T
    return ((a + a.conj().T) / 2).astype(dtype)


@st.composite
def semidefinite_arrays(draw: st.DrawFn, n: int, rank: int, dtype: str = "float64") -> Matrix:
    """B Bᴴ for a B of `rank` columns, exact: positive semidefinite and of rank at most `rank`."""
    b = draw(arrays(n, rank, dtype=dtype))
    return b @ b.conj().T


@st.composite
def bases(draw: st.DrawFn, n: int, r: int, dtype: str = "float64") -> Matrix:
    """Matrices (n, r) with orthonormal columns: the first columns of a random reflection."""
    v = draw(arrays(n, dtype=_double(dtype)))
    length = float(np.real(np.vdot(v, v)))
    q = np.eye(n, dtype=_double(dtype)) - (2 / length if length else 0.0) * np.outer(v, v.conj())
    return q[:, :r].astype(dtype)


def _double(dtype: str) -> str:
    return "complex128" if dtype.startswith("complex") else "float64"
