"""Operators that hold arrays: the leaves of an expression."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from kronlin.algebra import Identity, Operator, Zero, assume
from kronlin.arrays import Array, Kind
from kronlin.operators import Dense, Diagonal, Function, KhatriRao, LowRank, Spectral
from kronlin.testing.strategies._numbers import Matrix, arrays, bases, definite_arrays, semidefinite_arrays
from kronlin.testing.strategies.twin import Twin, shown


def leaves(kind: Kind, shape: tuple[int, int]) -> st.SearchStrategy[Twin]:
    """Operators of a shape that hold arrays, the simplest first."""
    rows, columns = shape
    choices = [dense(kind, shape), zero(kind, shape), khatri_rao(kind, shape), low_rank(kind, shape)]
    if rows == columns:
        choices[1:1] = [identity(kind, rows), diagonal(kind, rows), definite(kind, rows), semidefinite(kind, rows)]
        choices.append(spectral(kind, rows))
    if kind.library.name == "numpy":
        choices.append(function(kind, shape))
    return st.one_of(choices)


def dense(kind: Kind, shape: tuple[int, int]) -> st.SearchStrategy[Twin]:
    """Any matrix."""
    return arrays(*shape, dtype=kind.dtype_name).map(lambda a: _twin(kind, Dense, "Dense", a, dense=a))


def diagonal(kind: Kind, n: int) -> st.SearchStrategy[Twin]:
    """A diagonal, zeros allowed."""
    return arrays(n, dtype=kind.dtype_name).map(lambda d: _twin(kind, Diagonal, "Diagonal", d, dense=np.diag(d)))


def identity(kind: Kind, n: int) -> st.SearchStrategy[Twin]:
    """The identity."""
    return st.builds(lambda: Twin(Identity(n, like=kind.zeros(0)), np.eye(n), f"Identity({n})"))


def zero(kind: Kind, shape: tuple[int, int]) -> st.SearchStrategy[Twin]:
    """The zero operator."""
    return st.builds(lambda: Twin(Zero(shape, like=kind.zeros(0)), np.zeros(shape), f"Zero({shape})"))


def definite(kind: Kind, n: int) -> st.SearchStrategy[Twin]:
    """A matrix with the true promise to be positive definite."""
    return definite_arrays(n, kind.dtype_name).map(lambda a: _promised(kind, a, "pd"))


def semidefinite(kind: Kind, n: int) -> st.SearchStrategy[Twin]:
    """A singular matrix (for n > 1) with the true promise to be psd."""
    return semidefinite_arrays(n, max(1, n - 1), kind.dtype_name).map(lambda a: _promised(kind, a, "psd"))


@st.composite
def khatri_rao(draw: st.DrawFn, kind: Kind, shape: tuple[int, int]) -> Twin:
    """Columns that are Kronecker products."""
    rows, columns = shape
    outer = draw(divisors(rows))
    left = draw(arrays(outer, columns, dtype=kind.dtype_name))
    right = draw(arrays(rows // outer, columns, dtype=kind.dtype_name))
    joined = (left[:, None, :] * right[None, :, :]).reshape(rows, columns)
    return _twin(kind, KhatriRao, "KhatriRao", left, right, dense=joined)


@st.composite
def low_rank(draw: st.DrawFn, kind: Kind, shape: tuple[int, int]) -> Twin:
    """U Uᴴ or U C Vᴴ with arrays."""
    rows, columns = shape
    r = draw(st.integers(1, 2))
    u = draw(arrays(rows, r, dtype=kind.dtype_name))
    if rows == columns and draw(st.booleans()):
        return _twin(kind, LowRank, "LowRank", u, dense=u @ u.conj().T)
    c, v = draw(arrays(r, r, dtype=kind.dtype_name)), draw(arrays(columns, r, dtype=kind.dtype_name))
    return _twin(kind, LowRank, "LowRank", u, c, v, dense=u @ c @ v.conj().T)


@st.composite
def spectral(draw: st.DrawFn, kind: Kind, n: int) -> Twin:
    """Q diag(w) Qᴴ + rest (I - Q Qᴴ), with fewer columns than rows or not."""
    r = draw(st.integers(0, n))
    q, w = draw(bases(n, r, kind.dtype_name)), draw(arrays(r, dtype=kind.real.dtype_name))
    rest = draw(st.sampled_from([0.0, 1.0, -0.5])) if r < n else 0.0
    matrix = (q * (w - rest)) @ q.conj().T + rest * np.eye(n)
    op = Spectral(to(kind, q), to(kind, w), rest)
    return Twin(op, matrix, f"Spectral({shown(q)}, {shown(w)}, {rest})", float(np.linalg.norm(matrix)) + 1)


def function(kind: Kind, shape: tuple[int, int]) -> st.SearchStrategy[Twin]:
    """A matrix behind two functions of NumPy."""

    def hide(a: Matrix) -> Twin:
        op = Function(lambda x: a @ x, lambda y: a.conj().T @ y, shape=shape, dtype=kind.dtype_name)
        return Twin(op, a, f"Function(products with {shown(a)})")

    return arrays(*shape, dtype=kind.dtype_name).map(hide)


def divisors(n: int) -> st.SearchStrategy[int]:
    """The numbers that divide n."""
    return st.sampled_from([d for d in range(1, n + 1) if n % d == 0])


def to(kind: Kind, x: Matrix) -> Array:
    """Carry an array to the library and the device of a kind."""
    return kind.library.from_numpy(x, device=kind.device)


def _twin(kind: Kind, make: Callable[..., Operator], name: str, *parts: Matrix, dense: Matrix) -> Twin:
    return Twin(make(*(to(kind, x) for x in parts)), dense, f"{name}({', '.join(map(shown, parts))})")


def _promised(kind: Kind, a: Matrix, promise: Any) -> Twin:
    return Twin(assume(Dense(to(kind, a)), promise), a, f"assume(Dense({shown(a)}), {promise!r})")
