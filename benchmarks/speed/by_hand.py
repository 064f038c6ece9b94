"""A Kronecker operator applied as one writes it by hand in NumPy: a loop over blocks, and stacks of equal ones."""

from collections.abc import Callable
from math import prod

import numpy as np

Apply = Callable[[np.ndarray], np.ndarray]
Block = tuple[np.ndarray, ...]
"""(G, A), or (G, A, w) with orthogonal G and A; or a stack of them, (count, m, m) and (count, n, n)."""


def turned(x: np.ndarray) -> np.ndarray:
    """The last two axes exchanged, a view."""
    return np.swapaxes(x, -1, -2)


def two_sided(g: np.ndarray, a: np.ndarray, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """G X Aᵀ, in the order that is the fastest for a single block (A Xᵀ first, for few rows), and for a stack."""
    if g.ndim == x.ndim == 2:
        return np.matmul(g, turned(a @ turned(x)), out=out)
    return np.matmul(np.matmul(g, x), turned(a), out=out)


def multiply(x: np.ndarray, out: np.ndarray, g: np.ndarray, a: np.ndarray, w: np.ndarray | None = None) -> None:
    """Write (G ⊗ A) X, or (G ⊗ A) diag(w) (G ⊗ A)ᵀ X, into `out`; several columns as (k, …), each a large product."""
    sizes = (*g.shape[:-2], g.shape[-1], a.shape[-1])
    single = x.ndim == 1
    block = x.reshape(sizes) if single else np.ascontiguousarray(x.T).reshape(-1, *sizes)
    if w is not None:
        block = two_sided(turned(g), turned(a), block)
        block *= w.reshape(sizes)
    if single:
        two_sided(g, a, block, out=out.reshape(sizes))
    else:
        out[...] = two_sided(g, a, block).reshape(x.shape[1], -1).T


def loop(blocks: list[Block]) -> Apply:
    """Block after block, into one result."""
    sizes = [prod((*block[0].shape[:-2], block[0].shape[-1], block[1].shape[-1])) for block in blocks]
    stops = np.cumsum(sizes).tolist()

    def apply(x: np.ndarray) -> np.ndarray:
        y = np.empty_like(x)
        for block, size, stop in zip(blocks, sizes, stops, strict=True):
            multiply(x[stop - size : stop], y[stop - size : stop], *block)
        return y

    return apply


def stacked(blocks: list[Block]) -> Apply:
    """For a net whose layers after the first are equal: the first one, and a stack of the others."""
    return loop([blocks[0], tuple(np.stack(parts) for parts in zip(*blocks[1:], strict=True))])
