"""Partition: how a vector is cut into pieces, and how equal pieces are brought together and back."""

from itertools import accumulate
from math import prod
from typing import Any

from kronlin.arrays import Array, Kind, lies_by_columns, namespace


class Partition:
    """A vector of sum(sizes) entries, cut into pieces that belong to groups of equal size.

    Args:
        group_sizes: the size of the pieces of each group.
        members: for each group the numbers of its pieces, in the order of the vector.
        kind: where index arrays live.

    >>> import numpy as np
    >>> from kronlin.arrays import kind
    >>> cut = Partition([2, 1], ((0, 2), (1,)), kind(np.ones(1)))
    >>> pieces = [cut.gather(np.arange(5.0)[:, None], group) for group in (0, 1)]
    >>> pieces[0][..., 0], cut.scatter(pieces)[:, 0]
    (array([[0., 1.],
           [3., 4.]]), array([0., 1., 2., 3., 4.]))
    """

    def __init__(self, group_sizes: list[int], members: tuple[tuple[int, ...], ...], kind: Kind) -> None:
        self.group_sizes = group_sizes
        self.members = members
        self.kind = kind
        by_piece = {i: size for size, group in zip(group_sizes, members, strict=True) for i in group}
        self.sizes = [by_piece[i] for i in range(len(by_piece))]
        self.starts = [0, *accumulate(self.sizes)]
        self.total = self.starts.pop()
        self.places = [self._place(group) for group in members]
        self._back = self._order()

    def _place(self, group: tuple[int, ...]) -> Any:
        """Where a group stands: a slice if its pieces follow one another, else indices."""
        first, size = self.starts[group[0]], self.sizes[group[0]]
        if all(self.starts[i] == first + size * place for place, i in enumerate(group)):
            return slice(first, first + size * len(group))
        return self.kind.xp.concat([self._range(self.starts[i], self.starts[i] + size) for i in group])

    def _order(self) -> Array | None:
        """What sorts entries that stand group after group; None if they are sorted."""
        if [i for group in self.members for i in group] == list(range(len(self.sizes))):
            return None
        xp, places = self.kind.xp, self.places
        entries = [self._range(place.start, place.stop) if isinstance(place, slice) else place for place in places]
        return xp.argsort(xp.concat(entries))

    def _range(self, start: int, stop: int) -> Array:
        return self.kind.xp.arange(start, stop, dtype=self.kind.index_dtype, device=self.kind.device)

    def gather(self, x: Array, group: int) -> Array:
        """Take the rows of a group from X (total, k): (pieces, size, k), or (size, k) for a single piece.

        Columns that lie in one piece each stay so, here and in `scatter`.
        """
        xp, place, count = self.kind.xp, self.places[group], len(self.members[group])
        if isinstance(place, slice):
            rows = x[place, :]
        elif lies_by_columns(x):
            rows = xp.matrix_transpose(xp.take(xp.matrix_transpose(x), place, axis=1))
        else:
            rows = xp.take(x, place, axis=0)
        return rows if count == 1 else xp.reshape(rows, (count, self.group_sizes[group], x.shape[-1]))

    def scatter(self, groups: list[Array]) -> Array:
        """Put what `gather` took from each group back together: (total, k)."""
        xp = self.kind.xp
        if all(map(lies_by_columns, groups)):
            columns = [_columns(part) for part in groups]
            joined = columns[0] if len(columns) == 1 else xp.concat(columns, axis=1)
            return xp.matrix_transpose(joined if self._back is None else xp.take(joined, self._back, axis=1))
        flat = [
            part if part.ndim == 2 else xp.reshape(part, (prod(part.shape[:-1]), part.shape[-1])) for part in groups
        ]
        joined = flat[0] if len(flat) == 1 else xp.concat(flat, axis=0)
        return joined if self._back is None else xp.take(joined, self._back, axis=0)

    def scatter_vectors(self, groups: list[Array]) -> Array:
        """The same for vectors (pieces, size) or (size,)."""
        return self.scatter([vector[..., None] for vector in groups])[:, 0]


def _columns(x: Array) -> Array:
    """(pieces, size, k) or (size, k) as (k, pieces · size)."""
    xp = namespace(x)
    if x.ndim == 2:
        return xp.matrix_transpose(x)
    pieces, size, k = x.shape
    return xp.reshape(xp.permute_dims(x, (2, 0, 1)), (k, pieces * size))
