"""SegmentSums: the rows of an array that share a place, added up."""

from collections.abc import Sequence

from kronlin.arrays import Array, Kind


class SegmentSums:
    """Y (k, m) ↦ Z (n, m) with Z[j] = Σ Y[i] over the i with places[i] = j, in (k + n) m additions or fewer.

    Rows are added in pairs, the sums again in pairs, by `take` and `+` alone: this is the same code in every array
    library, it gives the same bits at every call, on an accelerator too, and its rounding error grows with the
    logarithm of the number of rows that meet.

    Args:
        places: for each row of Y the row of Z that it is added to.
        n: number of rows of Z.
        kind: the kind of Y.

    >>> import numpy as np
    >>> from kronlin.arrays import kind
    >>> SegmentSums([2, 0, 2], 4, kind(np.ones(1)))(np.array([[1.0], [5.0], [10.0]]))[:, 0]
    array([ 5.,  0., 11.,  0.])
    """

    def __init__(self, places: Sequence[int], n: int, kind: Kind) -> None:
        self.kind = kind
        groups: dict[int, Sequence[int]] = {}
        for row, place in enumerate(places):
            members = groups.setdefault(place, [])
            assert isinstance(members, list)
            members.append(row)
        rows = len(places)
        self._steps: list[tuple[Array, Array]] = []
        while any(len(members) > 1 for members in groups.values()):
            firsts: list[int] = []
            seconds: list[int] = []
            for place, members in groups.items():
                start = len(firsts)
                firsts.extend(members[::2])
                seconds.extend(members[1::2])
                seconds.extend([rows] * (len(members) % 2))
                groups[place] = range(start, len(firsts))
            self._steps.append((kind.indices(firsts), kind.indices(seconds)))
            rows = len(firsts)
        self._last = kind.indices([groups[j][0] if j in groups else rows for j in range(n)])

    def __call__(self, y: Array) -> Array:
        """Add up the rows of Y (..., k, m)."""
        take = self.kind.xp.take
        for firsts, seconds in self._steps:
            y = take(y, firsts, axis=-2) + take(self._padded(y), seconds, axis=-2)
        return take(self._padded(y), self._last, axis=-2)

    def _padded(self, y: Array) -> Array:
        """Y with a row of zeros below it, which stands in where nothing is to be added."""
        zeros = self.kind.zeros(*y.shape[:-2], 1, y.shape[-1])
        return self.kind.xp.concat([y, zeros], axis=-2)
