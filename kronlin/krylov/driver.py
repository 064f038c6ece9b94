"""Run: what every solver does around its own recurrence: steps, looks, the bar, and the check of the true residual."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kronlin.arrays import Array, optional_import
from kronlin.krylov._inner import inner
from kronlin.krylov.recycling import RitzWindow
from kronlin.krylov.result import KrylovResult
from kronlin.krylov.stopping import EXHAUSTED, Limits, Watch
from kronlin.krylov.system import System


class Run:
    """One call of a solver: its system, watch, bar, callback, and the window of what is to be recycled."""

    def __init__(
        self,
        system: System,
        limits: Limits,
        *,
        name: str,
        callback: Callable[[Array], Any] | None = None,
        progress: bool = False,
        window: RitzWindow | None = None,
    ) -> None:
        self.system, self.limits, self.window = system, limits, window
        self.name, self.callback, self.progress = name, callback, progress
        self.watch = Watch(system, limits)
        self.show: Callable[[int], None] = lambda steps: None
        self._begun = False

    @property
    def left(self) -> int:
        """Steps that may still be taken."""
        return self.limits.maxiter + 1 - len(self.watch.history)

    def steps(self, most: int | None = None) -> Iterator[bool]:
        """One item a step, until every column rests or the steps (`most` of them) are used up.

        The item tells whether the flags are looked at after this step.
        """
        history = self.watch.history
        end = len(history) + (self.left if most is None else min(most, self.left))
        while len(history) < end and not self.watch.is_over():
            burst = min(self.limits.check_every, end - len(history))
            for count in range(1, burst + 1):
                yield count == burst
            self.show(burst)
        self.watch.trim()

    def begin(self, x: Array) -> Array:
        """b - A x at the start of a cycle, as a block of its own; no product for the zero that the first starts from."""
        begun, self._begun = self._begun, True
        return self.residual(x) if begun or not self.system.from_zero else self.system.kind.xp.positive(self.system.b)

    def residual(self, x: Array) -> Array:
        """b - A x."""
        return self.system.b - self.system.A @ x

    def norms(self, r: Array) -> Array:
        """The norms of the columns, (k,)."""
        return self.system.kind.xp.sqrt(inner(r, r))

    def tell(self, x: Array) -> None:
        """Hand an iterate to the callback."""
        if self.callback is not None:
            self.callback(self.system.unscaled(x))

    def settled(self, x: Array, fallback: Array, start: Array) -> tuple[Array, Array]:
        """The end of a cycle that minimises the residual, and b - A x for the x that came.

        Where ‖b - A x‖ is above that of the `start` and of the recurrence, rounding errors have taken over, as they
        do where A is singular: the column goes back to the `fallback` and is halted.
        """
        xp, watch = self.system.kind.xp, self.watch
        r = self.residual(x)
        lost = self.norms(r) > 2 * xp.maximum(start, watch.history[-1])
        watch.active = watch.active | lost & (watch.fault == 0)
        watch.halt(lost, EXHAUSTED, watch.zero)
        return xp.where(lost, fallback, x), r

    def solve(self, cycle: Callable[[Array], Array]) -> KrylovResult:
        """Iterate from x₀ by `cycle`, and again from where it ended in the columns that the recurrence deceived.

        `cycle` takes an x and returns a better one in the columns that are active, when they all rest or the steps
        are used up. A column that meets the tolerance by its recurrence but not by b - A x is active again.
        """
        xp, watch = self.system.kind.xp, self.watch
        x, norms, stagnated = self.system.x0, None, False
        with self._bar():
            while True:
                x = cycle(x)
                previous, norms = norms, self.norms(self.residual(x))
                met, broken = watch.judge(norms)
                again = self.system.columns(~(met | broken)) > 0
                if self.left <= 0 or not bool(xp.any(again)):
                    break
                if previous is not None and not bool(xp.any(again & (norms < previous / 2))):
                    stagnated = True
                    break
                watch.active = again
        found = None if self.window is None else self.window.result()
        pairs = {} if found is None else {"ritz_values": found[0], "ritz_vectors": found[1]}
        return KrylovResult(self.system.unscaled(x), **watch.report(norms, stagnated), **pairs)

    @contextmanager
    def _bar(self) -> Iterator[None]:
        """Show a bar of steps with the largest relative residual, if wanted."""
        if not self.progress:
            yield
            return
        tqdm = optional_import("tqdm", extra="demo").tqdm
        with tqdm(total=self.limits.maxiter, desc=self.name, unit="step") as bar:

            def show(steps: int) -> None:
                bar.set_postfix_str(f"residual {self.watch.worst():.1e}", refresh=False)
                bar.update(steps)

            self.show = show
            yield
