"""Small matrices for the tests of kernels and rules, made in NumPy and carried to the library under test."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from tests.libraries import JAX, installed

REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
DTYPES = (*REAL, *COMPLEX)
DOUBLE = ("float64", "complex128")


def each_dtype(dtypes: Sequence[str] = DTYPES):
    """Parametrise a test by `lib` and `dtype`; JAX, which compiles for each, gets complex single precision if it may."""
    few = ("complex64",) if "complex64" in dtypes else ("float32", "complex128")
    pairs = [(library, dtype) for library in installed() for dtype in dtypes if library is not JAX or dtype in few]
    return pytest.mark.parametrize(("lib", "dtype"), pairs, indirect=["lib"], ids=str)


def each_stack(dtypes: Iterable[str] = DTYPES):
    """Parametrise a test by `lib`, `dtype` and `batch`: one matrix, and a stack of three."""
    cases = [
        (library, dtype, batch)
        for library in installed()
        for dtype in dtypes
        for batch in ((), (3,))
        if library is not JAX or (dtype, batch) in (("float32", ()), ("complex128", (3,)))
    ]
    return pytest.mark.parametrize(("lib", "dtype", "batch"), cases, indirect=["lib"], ids=str)


def normal(shape, dtype="float64", seed=0):
    """Normal entries; a complex dtype gives complex ones."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


def hermitian(n, dtype="float64", seed=0, batch=()):
    """Indefinite, equal to its adjoint to the last bit."""
    x = normal((*batch, n, n), dtype, seed)
    return x + adjoint(x)


def positive(n, dtype="float64", seed=0, condition=10.0, batch=()):
    """Positive definite with eigenvalues from 1 down to 1 / condition, on a logarithmic grid."""
    wide = "complex128" if dtype.startswith("complex") else "float64"
    q = np.linalg.qr(normal((*batch, n, n), wide, seed))[0]
    a = (q * np.logspace(0, -np.log10(condition), n)) @ adjoint(q)
    return ((a + adjoint(a)) / 2).astype(dtype)


def adjoint(x):
    """Conjugate transpose of the last two axes."""
    return np.swapaxes(x, -1, -2).conj()


def eps(dtype):
    """Distance from 1 to the next number of a dtype, given by name."""
    return float(np.finfo(dtype).eps)


def wide(x):
    """A NumPy array in double precision."""
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)
