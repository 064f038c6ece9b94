"""Columns: right-hand sides that are done leave the block, so that the products no longer carry them."""

from kronlin.arrays import Array, Kind
from kronlin.krylov.driver import Run

_FEW = 0.75
"""Share of the columns below which the rest are left out: to copy the block costs less than their products."""

_LARGE = 2**14
"""Entries of a block whose products take longer the more columns it has; in a smaller one all columns stay."""


class Columns:
    """The columns that a recurrence still carries, of those it began with.

    Which ones rest is known from the last look at the flags, so that nothing is read for it from an accelerator. With a
    callback or a window, which see all columns, all stay.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.kind: Kind = run.system.kind
        self.left: list[tuple[Array, Array]] = []

    def are_few(self) -> bool:
        """Whether so many rest, by the last look, that it pays to go on without them."""
        if self.run.callback is not None or self.run.window is not None:
            return False
        seen = self.run.watch.seen
        return len(seen) * self.run.system.A.shape[0] >= _LARGE and 0 < seen.sum() <= _FEW * len(seen)

    def narrowed(self, x: Array, r: Array, p: Array, rho: Array) -> tuple[Array, Array, Array, Array]:
        """The blocks and numbers of the columns that are active; of the others x is kept."""
        chosen = self.kind.indices([place for place, active in enumerate(self.run.watch.seen) if active])
        self.left.append((x, chosen))
        self.run.watch.narrow(chosen)
        return *(self._taken(block, chosen) for block in (x, r, p)), self.kind.xp.take(rho, chosen)

    def widened(self, x: Array) -> Array:
        """All columns of x again."""
        xp = self.kind.xp
        while self.left:
            whole, chosen = self.left.pop()
            order = self.run.watch.widen()
            both = xp.concat([xp.matrix_transpose(whole), xp.matrix_transpose(x)], axis=0)
            x = xp.matrix_transpose(xp.take(both, order, axis=0))
        return x

    def _taken(self, block: Array, chosen: Array) -> Array:
        xp = self.kind.xp
        return xp.matrix_transpose(xp.take(xp.matrix_transpose(block), chosen, axis=0))
