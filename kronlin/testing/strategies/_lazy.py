"""Expressions of the algebra over smaller operators: sums, products, adjoints, inverses, powers.

A new one is a small function and a line in `EXPRESSIONS`.
"""

from functools import reduce
from math import ceil

import numpy as np
from hypothesis import strategies as st

from kronlin.algebra import rules
from kronlin.testing.strategies._grow import Branch, Grow, Shape, square
from kronlin.testing.strategies._leaves import definite
from kronlin.testing.strategies._numbers import sizes
from kronlin.testing.strategies.twin import Twin

FACTORS = (2, -1, 0.5, 0)


@st.composite
def sums(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """A + B, A - B, or A + A with the same A twice."""
    a = draw(grow.inner(shape))
    b = a if draw(st.integers(0, 4)) == 4 else draw(grow.inner(shape))
    size = a.size + b.size
    if draw(st.booleans()):
        return Twin(a.op - b.op, a.dense - b.dense, f"({a.text} - {b.text})", size)
    return Twin(a.op + b.op, a.dense + b.dense, f"({a.text} + {b.text})", size)


@st.composite
def products(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """A @ B, or A @ A.H."""
    a = draw(grow.inner((shape[0], draw(sizes(4)))))
    if shape[0] == shape[1] and draw(st.integers(0, 3)) == 3:
        return Twin(a.op @ a.op.H, a.dense @ a.dense.conj().T, f"(A @ A.H for A = {a.text})", a.size**2)
    b = draw(grow.inner((a.op.shape[1], shape[1])))
    return Twin(a.op @ b.op, a.dense @ b.dense, f"({a.text} @ {b.text})", a.size * b.size)


@st.composite
def multiples(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """c A, for a complex A with a complex c too."""
    a = draw(grow.inner(shape))
    c = draw(st.sampled_from([*FACTORS, 1j, 1 - 2j] if grow.kind.is_complex else FACTORS))
    return Twin(c * a.op, c * a.dense, f"{c} * {a.text}", abs(c) * a.size)


@st.composite
def turned(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """Aᴴ or Aᵀ."""
    a = draw(grow.inner(shape[::-1]))
    if draw(st.booleans()):
        return Twin(a.op.T, a.dense.T, f"{a.text}.T", a.size)
    return Twin(a.op.H, a.dense.conj().T, f"{a.text}.H", a.size)


@st.composite
def conjugates(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """The complex conjugate."""
    a = draw(grow.inner(shape))
    return Twin(rules.conjugate(a.op), a.dense.conj(), f"conjugate({a.text})", a.size)


@st.composite
def damped(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """A + lam I."""
    a, lam = draw(grow.inner(shape)), draw(st.sampled_from([1.0, 0.25]))
    n = shape[0]
    return Twin(a.op.damped(lam), a.dense + lam * np.eye(n), f"{a.text}.damped({lam})", a.size + lam * n)


@st.composite
def congruences(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """Bᴴ A B with a positive definite A."""
    n = draw(sizes(3))
    a = draw(definite(grow.kind, (n, n)))
    b = draw(grow.inner((n, shape[1])))
    matrix = reduce(np.matmul, [b.dense.conj().T, a.dense, b.dense])
    return Twin(b.op.H @ a.op @ b.op, matrix, f"(B.H @ {a.text} @ B for B = {b.text})", b.size**2 * a.size)


@st.composite
def inverses(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """The inverse of A + c I, with a c so large that the condition number is at most 3."""
    a = draw(grow.inner(shape))
    c = ceil(2 * a.size + 1)
    inverse = np.linalg.inv(a.dense + c * np.eye(shape[0]))
    text = f"{a.text}.damped({c}).inverse()"
    return Twin(a.op.damped(c).inverse(), inverse, text, 3 * float(np.linalg.norm(inverse)))


@st.composite
def powers(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """A power of Bᴴ B + c I, with a c so large that the condition number is at most 2."""
    b = draw(grow.inner(shape))
    p, c = draw(st.sampled_from([2, 0.5, -0.5, -2])), ceil(b.size**2 + 1)
    w, q = np.linalg.eigh(b.dense.conj().T @ b.dense + c * np.eye(shape[0]))
    matrix = (q * w**p) @ q.conj().T
    op = (b.op.H @ b.op).damped(c).power(p)
    text = f"((B.H @ B).damped({c}).power({p}) for B = {b.text})"
    return Twin(op, matrix, text, 4 * float(np.linalg.norm(matrix)))


@st.composite
def squares(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """A² of any A."""
    a = draw(grow.inner(shape))
    return Twin(a.op.power(2), a.dense @ a.dense, f"{a.text}.power(2)", a.size**2)


@st.composite
def spectra(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """The eigendecomposition of Bᴴ B."""
    b = draw(grow.inner(shape))
    matrix = b.dense.conj().T @ b.dense
    return Twin((b.op.H @ b.op).eigh(), matrix, f"((B.H @ B).eigh() for B = {b.text})", b.size**2)


EXPRESSIONS = (
    Branch(sums),
    Branch(products),
    Branch(multiples),
    Branch(turned),
    Branch(conjugates),
    Branch(damped, square),
    Branch(congruences, square),
    Branch(inverses, square),
    Branch(powers, square),
    Branch(squares, square),
    Branch(spectra, square),
)
