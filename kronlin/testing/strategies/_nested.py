"""Nested random operators: every structure and every lazy expression, over leaves that hold arrays."""

from functools import lru_cache, reduce

import numpy as np
import scipy.linalg
from hypothesis import strategies as st

from kronlin.arrays import Kind, kind_named
from kronlin.operators import BlockDiagonal, HStack, Kronecker, KroneckerSum, LowRank, VStack
from kronlin.testing.strategies._leaves import definite, divisors, leaves
from kronlin.testing.strategies._numbers import dtypes, shapes, sizes
from kronlin.testing.strategies.twin import Twin

FACTORS = (2, -1, 0.5, 0)
Shape = tuple[int, int]


def kinds(*libraries: str, dtype: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[Kind]:
    """Kinds of arrays: a dtype in one of the named libraries (NumPy if none is named), on its first device."""
    names = st.sampled_from(libraries or ("numpy",))
    return st.builds(lambda name, chosen: kind_named(chosen, name), names, dtypes() if dtype is None else dtype)


@st.composite
def operators(
    draw: st.DrawFn,
    *,
    kind: st.SearchStrategy[Kind] | None = None,
    shape: st.SearchStrategy[Shape] | None = None,
    depth: int = 3,
) -> Twin:
    """Random operators with their dense twin: expressions of at most `depth` levels over operators that hold arrays.

    Args:
        draw: given by Hypothesis.
        kind: of the arrays; NumPy in any of the four dtypes if None.
        shape: of the operator; up to 4×4 if None.
        depth: 0 draws leaves only.

    >>> from hypothesis import find
    >>> twin = find(operators(), lambda twin: True)
    >>> twin.op.shape == twin.dense.shape
    True
    """
    chosen = draw(kinds() if kind is None else kind)
    return draw(expressions(chosen, draw(shapes() if shape is None else shape), depth))


@lru_cache(maxsize=1024)
def expressions(kind: Kind, shape: Shape, depth: int) -> st.SearchStrategy[Twin]:
    """Operators of one kind and shape, leaves first."""
    if depth == 0:
        return leaves(kind, shape)
    rows, columns = shape
    branches = [kronecker, sums, products, multiples, turned, low_rank]
    branches += [block_diagonal] if min(shape) > 1 else []
    branches += [vstack] if rows > 1 else []
    branches += [hstack] if columns > 1 else []
    branches += [kronecker_sum, powers, damped, congruence] if rows == columns else []
    return st.one_of(leaves(kind, shape), *(branch(kind, shape, depth - 1) for branch in branches))


@st.composite
def kronecker(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """A ⊗ B."""
    m, n = draw(divisors(shape[0])), draw(divisors(shape[1]))
    a = draw(expressions(kind, (m, n), depth))
    b = draw(expressions(kind, (shape[0] // m, shape[1] // n), depth))
    return Twin(Kronecker(a.op, b.op), np.kron(a.dense, b.dense), f"Kronecker({a.text}, {b.text})", a.size * b.size)


@st.composite
def kronecker_sum(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """A ⊕ B."""
    m = draw(divisors(shape[0]))
    n = shape[0] // m
    a, b = draw(expressions(kind, (m, m), depth)), draw(expressions(kind, (n, n), depth))
    dense = np.kron(a.dense, np.eye(n)) + np.kron(np.eye(m), b.dense)
    return Twin(KroneckerSum(a.op, b.op), dense, f"KroneckerSum({a.text}, {b.text})", a.size * n + b.size * m)


@st.composite
def powers(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """A²."""
    a = draw(expressions(kind, shape, depth))
    return Twin(a.op.power(2), a.dense @ a.dense, f"{a.text}.power(2)", a.size**2)


@st.composite
def sums(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """A + B, A - B, or A + A with the same A twice."""
    a = draw(expressions(kind, shape, depth))
    b = a if draw(st.integers(0, 4)) == 4 else draw(expressions(kind, shape, depth))
    size = a.size + b.size
    if draw(st.booleans()):
        return Twin(a.op - b.op, a.dense - b.dense, f"({a.text} - {b.text})", size)
    return Twin(a.op + b.op, a.dense + b.dense, f"({a.text} + {b.text})", size)


@st.composite
def products(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """A @ B, or A @ A.H."""
    a = draw(expressions(kind, (shape[0], draw(sizes(4))), depth))
    if shape[0] == shape[1] and draw(st.integers(0, 3)) == 3:
        return Twin(a.op @ a.op.H, a.dense @ a.dense.conj().T, f"(A @ A.H for A = {a.text})", a.size**2)
    b = draw(expressions(kind, (a.op.shape[1], shape[1]), depth))
    return Twin(a.op @ b.op, a.dense @ b.dense, f"({a.text} @ {b.text})", a.size * b.size)


@st.composite
def multiples(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """c A, for a complex A with a complex c too."""
    a = draw(expressions(kind, shape, depth))
    c = draw(st.sampled_from([*FACTORS, 1j, 1 - 2j] if kind.is_complex else FACTORS))
    return Twin(c * a.op, c * a.dense, f"{c} * {a.text}", abs(c) * a.size)


@st.composite
def turned(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """Aᴴ or Aᵀ."""
    a = draw(expressions(kind, shape[::-1], depth))
    if draw(st.booleans()):
        return Twin(a.op.T, a.dense.T, f"{a.text}.T", a.size)
    return Twin(a.op.H, a.dense.conj().T, f"{a.text}.H", a.size)


@st.composite
def low_rank(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """U C Vᴴ, or U C Uᴴ, of operators."""
    r = draw(sizes(2))
    u, c = draw(expressions(kind, (shape[0], r), depth)), draw(expressions(kind, (r, r), 0))
    same = shape[0] == shape[1] and draw(st.booleans())
    v = u if same else draw(expressions(kind, (shape[1], r), depth))
    op = LowRank(u.op, c.op, None if same else v.op)
    text = f"LowRank({u.text}, {c.text}{'' if same else ', ' + v.text})"
    return Twin(op, u.dense @ c.dense @ v.dense.conj().T, text, u.size * c.size * v.size)


@st.composite
def block_diagonal(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """Two or more blocks, the first one twice where there is room, so that buckets form."""
    m, n = (draw(st.integers(1, side - 1)) for side in shape)
    first = draw(expressions(kind, (m, n), depth))
    blocks, rest = [first], (shape[0] - m, shape[1] - n)
    if rest[0] > m and rest[1] > n and draw(st.booleans()):
        blocks, rest = [first, first], (rest[0] - m, rest[1] - n)
    blocks.insert(draw(st.integers(0, 1)), draw(expressions(kind, rest, depth)))
    size = sum(block.size for block in blocks)
    text = f"BlockDiagonal([{', '.join(block.text for block in blocks)}])"
    return Twin(
        BlockDiagonal([block.op for block in blocks]), scipy.linalg.block_diag(*(b.dense for b in blocks)), text, size
    )


@st.composite
def vstack(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """[A; B]."""
    m = draw(st.integers(1, shape[0] - 1))
    a, b = draw(expressions(kind, (m, shape[1]), depth)), draw(expressions(kind, (shape[0] - m, shape[1]), depth))
    return Twin(VStack([a.op, b.op]), np.vstack([a.dense, b.dense]), f"VStack([{a.text}, {b.text}])", a.size + b.size)


@st.composite
def hstack(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """[A B]."""
    n = draw(st.integers(1, shape[1] - 1))
    a, b = draw(expressions(kind, (shape[0], n), depth)), draw(expressions(kind, (shape[0], shape[1] - n), depth))
    return Twin(HStack([a.op, b.op]), np.hstack([a.dense, b.dense]), f"HStack([{a.text}, {b.text}])", a.size + b.size)


@st.composite
def damped(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """A + lam I."""
    a, lam = draw(expressions(kind, shape, depth)), draw(st.sampled_from([1.0, 0.25]))
    n = shape[0]
    return Twin(a.op.damped(lam), a.dense + lam * np.eye(n), f"{a.text}.damped({lam})", a.size + lam * n)


@st.composite
def congruence(draw: st.DrawFn, kind: Kind, shape: Shape, depth: int) -> Twin:
    """Bᴴ A B with a positive definite A."""
    a = draw(definite(kind, draw(sizes(3))))
    b = draw(expressions(kind, (a.op.shape[0], shape[1]), depth))
    matrix = reduce(np.matmul, [b.dense.conj().T, a.dense, b.dense])
    return Twin(b.op.H @ a.op @ b.op, matrix, f"(B.H @ {a.text} @ B for B = {b.text})", b.size**2 * a.size)
