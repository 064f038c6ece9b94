"""Structures over smaller operators: factors, blocks and stacks.

A new one is a small function and a line in `STRUCTURES`.
"""

import numpy as np
import scipy.linalg
from hypothesis import strategies as st

from kronlin.operators import BlockDiagonal, HStack, Kronecker, LowRank, VStack
from kronlin.testing.strategies._grow import Branch, Grow, Shape, divisors
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


STRUCTURES = (
    Branch(kronecker),
    Branch(low_rank),
    Branch(block_diagonal, lambda shape: min(shape) > 1),
    Branch(vstack, lambda shape: shape[0] > 1),
    Branch(hstack, lambda shape: shape[1] > 1),
)
