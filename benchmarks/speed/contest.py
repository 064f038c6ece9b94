"""A question's contestants, timed in turn with the machine's limit, as rows of ratios."""

import gc
import time
from collections.abc import Callable
from statistics import median

from speed.limits import times_limit

PAUSE = 0.03  # seconds: idle threads of one library spin for about that long, and would slow the next contestant


def samples(
    functions: dict[str, Callable[[], object]], rounds: int = 9, budget: float = 0.05
) -> dict[str, list[float]]:
    """Return the seconds a call of each took in each round; in turn, with a pause before each, after one to warm up.

    A measurement repeats a call until it fills `budget` seconds.
    """
    repeats: dict[str, int] = {}
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for counted in [False] + [True] * rounds:
        for name, function in functions.items():
            gc.collect()
            time.sleep(PAUSE)
            if name not in repeats:
                function()
                start = time.perf_counter()
                function()
                repeats[name] = max(1, int(budget / max(time.perf_counter() - start, 1e-7)))
            start = time.perf_counter()
            for _ in range(repeats[name]):
                function()
            if counted:
                taken[name].append((time.perf_counter() - start) / repeats[name])
    return taken


def rows(
    taken: dict[str, list[float]], limit: str | None = None, scale: float = 1.0, **facts: object
) -> list[dict[str, object]]:
    """A row a contestant: its median in ms, by the limit (`scale` times the time of `limit`), and by kronlin's.

    Args:
        taken: what `samples` returned; kronlin's own name is "kronlin".
        limit: which of them measured the machine; it gets a row of its own, with the limit's time.
        scale: the work in units of that measurement's.
        facts: what all rows of this contest share, such as work, net, dtype and vectors.
    """
    table: list[dict[str, object]] = []
    for who, times in taken.items():
        factor = scale if who == limit else 1.0
        by_kronlin = median(factor * one / own for one, own in zip(times, taken["kronlin"], strict=True))
        row: dict[str, object] = {**facts, "who": who, "ms": 1e3 * factor * median(times)}
        row["by limit"] = times_limit(taken, who, limit, scale / factor) if limit else None
        row["by kronlin"] = by_kronlin
        table.append(row)
    return table
