"""Structures over smaller operators: factors, blocks and stacks.

A new one is a small function and a line in `STRUCTURES`.
"""

import numpy as np
import scipy.linalg
from hypothesis import strategies as st

from kronlin.operators import (
    BlockDiagonal,
    BlockMatrix,
    BlockTridiagonal,
    HStack,
    Kronecker,
    KroneckerSum,
    LowRank,
    VStack,
)
from kronlin.testing.strategies._grow import Branch, Grow, Shape, divisors, square
from kronlin.testing.strategies._leaves import leaves
from kronlin.testing.strategies._numbers import sizes
from kronlin.testing.strategies.twin import Twin


@st.composite
def kronecker(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """A ⊗ B."""
    m, n = draw(divisors(shape[0])), draw(divisors(shape[1]))
    a = draw(grow.inner((m, n)))
    b = draw(grow.inner((shape[0] // m, shape[1] // n)))
    return Twin(Kronecker(a.op, b.op), np.kron(a.dense, b.dense), f"Kronecker({a.text}, {b.text})", a.size * b.size)


@st.composite
def kronecker_sum(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """A ⊕ B."""
    m = draw(divisors(shape[0]))
    n = shape[0] // m
    a, b = draw(grow.inner((m, m))), draw(grow.inner((n, n)))
    dense = np.kron(a.dense, np.eye(n)) + np.kron(np.eye(m), b.dense)
    return Twin(KroneckerSum(a.op, b.op), dense, f"KroneckerSum({a.text}, {b.text})", a.size * n + b.size * m)


@st.composite
def low_rank(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """U C Vᴴ, or U C Uᴴ, of operators."""
    r = draw(sizes(2))
    u, c = draw(grow.inner((shape[0], r))), draw(leaves(grow.kind, (r, r)))
    same = shape[0] == shape[1] and draw(st.booleans())
    v = u if same else draw(grow.inner((shape[1], r)))
    op = LowRank(u.op, c.op, None if same else v.op)
    text = f"LowRank({u.text}, {c.text}{'' if same else ', ' + v.text})"
    return Twin(op, u.dense @ c.dense @ v.dense.conj().T, text, u.size * c.size * v.size)


@st.composite
def block_diagonal(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """Two or three blocks, of which two may have one shape, so that buckets form."""
    m, n = (draw(st.integers(1, side - 1)) for side in shape)
    blocks, rest = [draw(grow.inner((m, n)))], (shape[0] - m, shape[1] - n)
    if rest[0] > m and rest[1] > n and draw(st.booleans()):
        blocks.append(draw(st.sampled_from([blocks[0], draw(grow.inner((m, n)))])))
        rest = (rest[0] - m, rest[1] - n)
    blocks.insert(draw(st.integers(0, 1)), draw(grow.inner(rest)))
    dense = scipy.linalg.block_diag(*(block.dense for block in blocks))
    text = f"BlockDiagonal([{', '.join(block.text for block in blocks)}])"
    return Twin(BlockDiagonal([block.op for block in blocks]), dense, text, sum(block.size for block in blocks))


@st.composite
def vstack(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """[A; B]."""
    m = draw(st.integers(1, shape[0] - 1))
    a, b = draw(grow.inner((m, shape[1]))), draw(grow.inner((shape[0] - m, shape[1])))
    return Twin(VStack([a.op, b.op]), np.vstack([a.dense, b.dense]), f"VStack([{a.text}, {b.text}])", a.size + b.size)


@st.composite
def hstack(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """[A B]."""
    n = draw(st.integers(1, shape[1] - 1))
    a, b = draw(grow.inner((shape[0], n))), draw(grow.inner((shape[0], shape[1] - n)))
    return Twin(HStack([a.op, b.op]), np.hstack([a.dense, b.dense]), f"HStack([{a.text}, {b.text}])", a.size + b.size)


@st.composite
def block_matrix(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """[[A, B], [C, D]], of which B or C may be left out."""
    m, n = (draw(st.integers(1, side - 1)) for side in shape)
    sizes = [[(i, j) for j in (n, shape[1] - n)] for i in (m, shape[0] - m)]
    grid = [[draw(grow.inner(size)) for size in row] for row in sizes]
    empty = draw(st.sampled_from([None, (0, 1), (1, 0)]))
    rows = [[None if empty == (i, j) else block.op for j, block in enumerate(row)] for i, row in enumerate(grid)]
    parts = [
        [np.zeros(size) if empty == (i, j) else block.dense for j, (block, size) in enumerate(zip(*pair, strict=True))]
        for i, pair in enumerate(zip(grid, sizes, strict=True))
    ]
    texts = [
        ", ".join("None" if empty == (i, j) else block.text for j, block in enumerate(row))
        for i, row in enumerate(grid)
    ]
    size = sum(block.size for row in grid for block in row)
    return Twin(BlockMatrix(rows), np.block(parts), f"BlockMatrix([[{texts[0]}], [{texts[1]}]])", size)


@st.composite
def block_tridiagonal(draw: st.DrawFn, grow: Grow, shape: Shape) -> Twin:
    """Blocks on and beside the diagonal, those below it adjoints of those above it, chosen, or left out."""
    m = draw(st.integers(1, shape[0] - 1))
    first, last, upper = (draw(grow.inner(s)) for s in ((m, m), (shape[0] - m,) * 2, (m, shape[0] - m)))
    lower = draw(st.sampled_from(["adjoint", "blocks", None]))
    below = draw(grow.inner((shape[0] - m, m))) if lower == "blocks" else None
    beside = {"adjoint": upper.dense.conj().T, None: np.zeros((shape[0] - m, m))}.get(lower, below and below.dense)
    op = BlockTridiagonal([first.op, last.op], [upper.op], [below.op] if below else lower)
    end = f", [{below.text}]" if below else "" if lower else ", None"
    text = f"BlockTridiagonal([{first.text}, {last.text}], [{upper.text}]{end})"
    size = first.size + last.size + 2 * upper.size + (below.size if below else 0)
    return Twin(op, np.block([[first.dense, upper.dense], [beside, last.dense]]), text, size)


def cuttable(shape: Shape) -> bool:
    """At least two rows and two columns."""
    return min(shape) > 1


STRUCTURES = (
    Branch(kronecker),
    Branch(kronecker_sum, square),
    Branch(low_rank),
    Branch(block_diagonal, cuttable),
    Branch(block_matrix, cuttable),
    Branch(block_tridiagonal, lambda shape: square(shape) and cuttable(shape)),
    Branch(vstack, lambda shape: shape[0] > 1),
    Branch(hstack, lambda shape: shape[1] > 1),
)
