"""Operators that hold arrays: the leaves of an expression.

A new one is a small function and a line in `LEAVES`. It is a composite, whose result Hypothesis shows by its `repr`:
what `map` and `builds` make is shown as calls.
"""

from collections.abc import Callable

import numpy as np
import scipy.sparse
from hypothesis import strategies as st

from kronlin.algebra import Identity, Operator, Zero, assume
from kronlin.arrays import Kind
from kronlin.curvature import FisherRoot
from kronlin.operators import (
    Dense,
    Diagonal,
    Function,
    KhatriRao,
    LowRank,
    Permutation,
    Selection,
    Spectral,
    aslinearoperator,
)
from kronlin.testing.strategies._grow import Leaf, Shape, divisors, square
from kronlin.testing.strategies._kinds import to
from kronlin.testing.strategies._numbers import Matrix, arrays, bases, definite_arrays, semidefinite_arrays
from kronlin.testing.strategies.twin import Twin, shown


@st.composite
def dense(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """Any matrix."""
    a = draw(arrays(*shape, dtype=kind.dtype_name))
    return _twin(kind, Dense, "Dense", a, dense=a)


def identity(kind: Kind, shape: Shape) -> st.SearchStrategy[Twin]:
    """The identity."""
    n = shape[0]
    return st.just(Twin(Identity(n, like=kind.zeros(0)), np.eye(n), f"Identity({n})"))


@st.composite
def diagonal(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """A diagonal, zeros allowed."""
    d = draw(arrays(shape[0], dtype=kind.dtype_name))
    return _twin(kind, Diagonal, "Diagonal", d, dense=np.diag(d))


@st.composite
def definite(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """A matrix with the true promise to be positive definite."""
    return _promised(kind, draw(definite_arrays(shape[0], kind.dtype_name)), "pd")


@st.composite
def semidefinite(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """A singular matrix (for n > 1) with the true promise to be psd."""
    n = shape[0]
    return _promised(kind, draw(semidefinite_arrays(n, max(1, n - 1), kind.dtype_name)), "psd")


def zero(kind: Kind, shape: Shape) -> st.SearchStrategy[Twin]:
    """The zero operator."""
    return st.just(Twin(Zero(shape, like=kind.zeros(0)), np.zeros(shape), f"Zero({shape})"))


@st.composite
def khatri_rao(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """Columns that are Kronecker products."""
    rows, columns = shape
    outer = draw(divisors(rows))
    left = draw(arrays(outer, columns, dtype=kind.dtype_name))
    right = draw(arrays(rows // outer, columns, dtype=kind.dtype_name))
    joined = (left[:, None, :] * right[None, :, :]).reshape(rows, columns)
    return _twin(kind, KhatriRao, "KhatriRao", left, right, dense=joined)


@st.composite
def fisher_root(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """Columns Σ_s kron(g_isk, a_is), one or two positions s."""
    d_out, K, S = draw(divisors(shape[0])), draw(divisors(shape[1])), draw(st.integers(1, 2))
    n = shape[1] // K
    a = draw(arrays(n, S, shape[0] // d_out, dtype=kind.dtype_name))
    g = draw(arrays(n, S, K, d_out, dtype=kind.dtype_name))
    matrix = np.einsum("isko,isj->ojik", g, a).reshape(shape)
    return _twin(kind, FisherRoot, "FisherRoot", a, g, dense=matrix)


@st.composite
def low_rank(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """U Uᴴ or U C Vᴴ with arrays."""
    rows, columns = shape
    r = draw(st.integers(1, 2))
    u = draw(arrays(rows, r, dtype=kind.dtype_name))
    if rows == columns and draw(st.booleans()):
        return _twin(kind, LowRank, "LowRank", u, dense=u @ u.conj().T)
    c, v = draw(arrays(r, r, dtype=kind.dtype_name)), draw(arrays(columns, r, dtype=kind.dtype_name))
    return _twin(kind, LowRank, "LowRank", u, c, v, dense=u @ c @ v.conj().T)


@st.composite
def spectral(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """Q diag(w) Qᴴ + rest (I - Q Qᴴ), with fewer columns than rows or not."""
    n = shape[0]
    r = draw(st.integers(0, n))
    q, w = draw(bases(n, r, kind.dtype_name)), draw(arrays(r, dtype=kind.real.dtype_name))
    rest = draw(st.sampled_from([0.0, 1.0, -0.5])) if r < n else 0.0
    matrix = (q * (w - rest)) @ q.conj().T + rest * np.eye(n)
    op = Spectral(to(kind, q), to(kind, w), rest)
    return Twin(op, matrix, f"Spectral({shown(q)}, {shown(w)}, {rest})", float(np.linalg.norm(matrix)) + 1)


@st.composite
def selection(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """Chosen entries, some of them twice."""
    chosen = draw(st.lists(st.integers(0, shape[1] - 1), min_size=shape[0], max_size=shape[0]))
    op = Selection(chosen, shape[1], like=kind.zeros(0))
    return Twin(op, np.eye(shape[1])[chosen], f"Selection({chosen}, {shape[1]})")


@st.composite
def permutation(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """Entries in another order."""
    p = draw(st.permutations(range(shape[0])))
    return Twin(Permutation(p, like=kind.zeros(0)), np.eye(shape[0])[p], f"Permutation({p})")


@st.composite
def sparse(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """A sparse matrix of SciPy, on NumPy; elsewhere a dense one."""
    if kind.library.name != "numpy":
        return draw(dense(kind, shape))
    a = draw(arrays(*shape, dtype=kind.dtype_name))
    return Twin(aslinearoperator(scipy.sparse.csr_array(a)), a, f"csr_array({shown(a)})")


@st.composite
def function(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """A matrix behind two functions."""
    a = draw(arrays(*shape, dtype=kind.dtype_name))
    forward, backward = to(kind, a), to(kind, np.conj(a.T))
    op = Function(lambda x: forward @ x, lambda y: backward @ y, shape=shape, like=forward)
    return Twin(op, a, f"Function(products with {shown(a)})")


LEAVES = (
    Leaf(dense),
    Leaf(identity, square),
    Leaf(diagonal, square),
    Leaf(definite, square),
    Leaf(semidefinite, square),
    Leaf(zero),
    Leaf(khatri_rao),
    Leaf(fisher_root),
    Leaf(low_rank),
    Leaf(spectral, square),
    Leaf(selection),
    Leaf(permutation, square),
    Leaf(sparse),
    Leaf(function),
)
"""The simplest first: that is what examples shrink to."""


@st.composite
def leaves(draw: st.DrawFn, kind: Kind, shape: Shape) -> Twin:
    """Operators of a kind and shape that hold arrays, the simplest first.

    Args:
        draw: given by Hypothesis.
        kind: library, dtype and device, as drawn from `kinds()`.
        shape: (rows, columns).

    >>> from hypothesis import find
    >>> from kronlin.arrays import kind_named
    >>> find(leaves(kind_named("float64"), (1, 1)), lambda twin: twin.dense == -2)
    Dense([[-2.]]) [numpy float64]
    """
    return draw(draw(st.sampled_from([leaf for leaf in LEAVES if leaf.fits(shape)])).make(kind, shape))


def _twin(kind: Kind, make: Callable[..., Operator], name: str, *parts: Matrix, dense: Matrix) -> Twin:
    return Twin(make(*(to(kind, x) for x in parts)), dense, f"{name}({', '.join(map(shown, parts))})")


def _promised(kind: Kind, a: Matrix, promise: str) -> Twin:
    return Twin(assume(Dense(to(kind, a)), promise), a, f"assume(Dense({shown(a)}), {promise!r})")
