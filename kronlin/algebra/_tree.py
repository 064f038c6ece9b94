"""tree: the structure of an operator, with what is known of each part and the memory that it takes."""

import html
from collections.abc import Iterator
from typing import Any, NamedTuple

from kronlin.algebra import rules
from kronlin.algebra.structure import Structure
from kronlin.arrays import bytes_of


class Node(NamedTuple):
    """One line, the lines below it, and how many parts were left out there."""

    line: str
    below: tuple["Node", ...]
    left_out: int


class Tree:
    """The tree of an operator, made by `tree`: its `str` is text, in a notebook it unfolds."""

    def __init__(self, operator: Any, depth: int | None = None, width: int = 10) -> None:
        self.root = _Builder(width).node(operator, None, float("inf") if depth is None else depth)

    def __str__(self) -> str:
        return "\n".join([self.root.line, *_lines_below(self.root)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<div style="font-family: monospace; white-space: pre">{_unfolding(self.root, 0)}</div>'


class _Builder:
    """Goes through an operator once, from the top, and remembers what it has met."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.met: set[int] = set()

    def node(self, operator: Any, parent: Any, depth: float) -> Node:
        line = self._line(operator, parent)
        parts = [part for part in operator.parts if isinstance(part, Structure)]
        if id(operator) in self.met:
            return Node(f"{line} (shared)", (), 0)
        self.met.add(id(operator))
        line += self._memory(operator, parent)
        shown = parts[: self.width] if depth > 0 else []
        below = tuple(self.node(part, operator, depth - 1) for part in shown)
        return Node(line, below, len(parts) - len(shown))

    def _line(self, operator: Any, parent: Any) -> str:
        """`3 × Kronecker(6×6, pd) note`; the kind stands where it differs from that above."""
        rows, columns = operator.shape
        kind = "" if parent is not None and parent.kind == operator.kind else str(operator.kind)
        words = ", ".join(filter(None, [f"{rows}×{columns}", kind, operator.properties.word]))
        times = f"{operator.batch[0]} × " if operator.batch and not (parent and parent.batch) else ""
        return f"{times}{type(operator).__name__}({words}){operator._note and ' ' + operator._note}"

    def _memory(self, operator: Any, parent: Any) -> str:
        """The bytes of arrays that no line above has counted; in the first line those of all arrays."""
        arrays = {id(array): array for array in operator._own_arrays()}
        fresh = {key: array for key, array in arrays.items() if key not in self.met}
        self.met.update(fresh)
        if parent is None:
            return f" {in_units(operator.nbytes)} in all"
        size = sum(map(bytes_of, fresh.values()))
        return f" {in_units(size)}" if size else " (shared)" if len(fresh) < len(arrays) else ""


def _left_out(node: Node) -> list[Node]:
    """What stands for the parts that are not shown."""
    return [Node(f"… {node.left_out} more", (), 0)] if node.left_out else []


def _lines_below(node: Node) -> Iterator[str]:
    """The lines below a node, with branches drawn in front."""
    below = [*node.below, *_left_out(node)]
    for child in below:
        last = child is below[-1]
        yield ("└─ " if last else "├─ ") + child.line
        yield from (("   " if last else "│  ") + line for line in _lines_below(child))


def _unfolding(node: Node, depth: int) -> str:
    """Nested <details>, of which the first two levels are open."""
    line = html.escape(node.line)
    below = [*node.below, *_left_out(node)]
    if not below:
        return f"<div>{line}</div>"
    inner = "".join(_unfolding(child, depth + 1) for child in below)
    state = " open" if depth < 2 else ""
    return f'<details{state}><summary>{line}</summary><div style="margin-left: 2em">{inner}</div></details>'


def in_units(size: int) -> str:
    """A number of bytes in B, kiB, MiB, GiB or TiB, each 1024 of the one before.

    >>> in_units(1000), in_units(1536), in_units(5 * 1024**3)
    ('1000 B', '1.5 kiB', '5.0 GiB')
    """
    value, units = float(size), ["B", "kiB", "MiB", "GiB", "TiB"]
    while value >= 1023.95 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{size} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def tree(A: Any, *, depth: int | None = None, width: int = 10) -> Tree:
    """The structure of an operator as a tree: a line for each part, with its shape, its properties and its memory.

    Equal blocks of a block-diagonal operator are one line. The memory of a part is that of its own arrays; what is
    held twice is counted where it is met first, and marked "(shared)" after that.

    Args:
        A: an operator or array.
        depth: levels below the first line that are shown; all of them if None.
        width: parts of one operator that are shown; the others are counted.

    Raises:
        ValueError: `depth` or `width` is negative.

    >>> import numpy as np, kronlin as kl
    >>> G, A = np.diag([1.0, 2.0]), np.eye(3)
    >>> K = kl.BlockDiagonal([kl.Kronecker(G, A), kl.Kronecker(G, A), kl.Kronecker(G, G)])
    >>> kl.tree(K)
    BlockDiagonal(16×16, numpy float64, self-adjoint) 240 B in all
    ├─ 2 × Kronecker(6×6, self-adjoint)
    │  ├─ Dense(2×2, self-adjoint) 64 B
    │  └─ Dense(3×3, self-adjoint) 144 B
    └─ Kronecker(4×4, self-adjoint)
       ├─ Dense(2×2, self-adjoint) 32 B
       └─ Dense(2×2, self-adjoint) (shared)
    """
    if (depth is not None and depth < 0) or width < 0:
        raise ValueError(f"tree takes a depth and a width that are not negative, not {depth} and {width}")
    return Tree(rules.wrap(A), depth, width)
