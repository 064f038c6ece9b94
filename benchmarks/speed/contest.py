"""A question's contestants, timed in turn with the machine's limit, as rows of ratios."""

import gc
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from speed.limits import gemm, times_limit
from speed.peers import Builder, as_array, entered
from speed.workloads import KINDS, NETS

LONG = 1.0  # seconds: a call that takes longer is not made twice to warm up
PAUSE = 0.03  # seconds: idle threads of one library spin for about that long, and would slow the next contestant


ENOUGH = 8.0  # seconds for the rounds of a contest: no further one is begun after that, but for the first three


def samples(
    functions: dict[str, Callable[[], object]], rounds: int = 9, budget: float = 0.05
) -> dict[str, list[float]]:
    """Return the seconds a call of each took in each round; in turn, with a pause before each, after one to warm up.

    A measurement repeats a call until it fills `budget` seconds; slow contests end after `ENOUGH` seconds.
    """
    start_of_all = time.perf_counter()
    repeats: dict[str, int] = {}
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for place, counted in enumerate([False] + [True] * rounds):
        if place > 3 and time.perf_counter() - start_of_all > ENOUGH:
            break
        for name, function in functions.items():
            gc.collect()
            time.sleep(PAUSE)
            if not counted:
                repeats[name] = repeats_to_fill(budget, function)
                continue
            start = time.perf_counter()
            for _ in range(repeats[name]):
                function()
            taken[name].append((time.perf_counter() - start) / repeats[name])
    return taken


def repeats_to_fill(budget: float, function: Callable[[], object]) -> int:
    """How many calls fill `budget` seconds; the first call, which may prepare things, counts only if it is long."""
    for _ in range(2):
        start = time.perf_counter()
        function()
        seconds = time.perf_counter() - start
        if seconds > LONG:
            break
    return max(1, int(budget / max(seconds, 1e-7)))


def agree(functions: dict[str, Callable[[], object]], tolerance: float) -> None:
    """Make sure that all contestants compute the same, to `tolerance` times the largest entry of kronlin's result."""
    own = as_array(functions["kronlin"]())
    bound = tolerance * float(np.max(np.abs(own)))
    for name, function in functions.items():
        other = as_array(function())
        if other.shape != own.shape or other.dtype != own.dtype:
            raise AssertionError(f"{name} returns {other.dtype} {other.shape}, and kronlin {own.dtype} {own.shape}")
        difference = float(np.max(np.abs(other - own)))
        if not difference <= bound:
            raise AssertionError(f"{name} differs from kronlin by {difference:.1e}, allowed is {bound:.1e}")


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


def absent_rows(names: list[str], **facts: object) -> list[dict[str, object]]:
    """A row for each contestant that is not installed."""
    return [
        {**facts, "who": f"{name} (not installed)", "ms": None, "by limit": None, "by kronlin": None} for name in names
    ]


def chosen_cases(words: list[str]) -> list[tuple[str, str, int]]:
    """Nets, dtypes and numbers of vectors: all, or those of the nets, dtypes and numbers among `words`.

    Not 16 vectors of net c: 1.8 or 3.6 GB an array, and up to a minute a call.
    """

    def among(known: list[str]) -> list[str]:
        return [name for name in known if name in words] or known

    return [
        (net, dtype, int(count))
        for net in among(list(NETS))
        for dtype in among(list(KINDS))
        for count in among(["1", "16"])
        if (net, count) != ("c", "16")
    ]


ROUNDS = {"a": 7, "b": 9, "c": 2}


def contest(
    builders: dict[str, Builder], operations: float, tolerance: float, **facts: object
) -> list[dict[str, object]]:
    """The rows of a contest of products that take so many operations; `facts` names at least net and dtype.

    The contestants are built, those that are not installed left out, and have to agree; then they are timed in turn
    with a large matrix product, the limit.
    """
    calls, absent = entered(builders)
    agree(calls, tolerance)
    limit = "limit: matrix products"
    calls[limit], one = gemm(str(facts["dtype"]))
    taken = samples(calls, rounds=ROUNDS[str(facts["net"])])
    return rows(taken, limit, operations / one, **facts) + absent_rows(absent, **facts)
