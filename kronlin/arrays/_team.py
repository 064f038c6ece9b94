"""Independent calls on several threads, each with a single-threaded BLAS; nested calls join the queue of the outermost.

It pays for LAPACK, whose routines use a second thread badly, and which `kronlin.arrays._lapack` calls without Python's
lock. threadpoolctl holds the threads of the BLAS back meanwhile; without it, calls are made one after the other, for threads
that each start threads of their own are slower than one.
"""

import os
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from functools import cache
from heapq import heappop, heappush
from importlib import import_module
from itertools import count
from threading import Condition, Lock, Thread
from typing import Any

from kronlin.arrays._optional import optional_import

WORTH_A_THREAD = 2e7
"""Multiplications, of a factorisation say, in the time that starting threads takes several times over."""

_alone = Lock()
_team: ContextVar["Team | None"] = ContextVar("team", default=None)


def concurrently(calls: Sequence[Callable[[], Any]], costs: Sequence[float]) -> list[Any]:
    """Return the results of independent calls in order, made side by side where the costs (multiplications) say so."""
    team, total = _team.get(), sum(costs)
    if len(calls) < 2 or total < WORTH_A_THREAD:
        return [call() for call in calls]
    if team is not None:
        return team.run(calls, costs)
    size = threads()
    # LAPACK on n threads is taken to be √n times as fast as on one: where one call takes most, that is better.
    if total / max(*costs, total / size) < max(size, 2) ** 0.5 or not _alone.acquire(blocking=False):
        return [call() for call in calls]
    try:
        with _blas().limit(limits=1):
            return Team(size).lead(calls, costs)
    finally:
        _alone.release()


def threads() -> int:
    """The number of threads that the BLAS may use and the process has processors for; 1 without threadpoolctl."""
    if _blas() is None:
        return 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([allowed, *(library.num_threads or 1 for library in _blas().lib_controllers)])


@cache
def _blas() -> Any:
    """Every BLAS of the process, NumPy's and SciPy's, as threadpoolctl controls them; None without threadpoolctl."""
    import_module("scipy.linalg.cython_lapack")  # its BLAS is found only once it is loaded
    try:
        return optional_import("threadpoolctl", extra="speed").ThreadpoolController().select(user_api="blas")
    except ImportError:
        return None


class Batch:
    """Calls that were handed over together, and what has become of them."""

    def __init__(self, calls: Sequence[Callable[[], Any]]) -> None:
        self.calls = calls
        self.left = len(calls)
        self.results: list[Any] = [None] * len(calls)
        self.errors: list[BaseException | None] = [None] * len(calls)

    def make(self, place: int) -> None:
        """Make one call."""
        try:
            self.results[place] = self.calls[place]()
        except BaseException as error:  # raised again by `finish`, in the thread that asked
            self.errors[place] = error

    def finish(self) -> list[Any]:
        """Return the results, or raise the error of the first call that failed."""
        for error in self.errors:
            if error is not None:
                raise error
        return self.results


class Team:
    """Threads that take the dearest call from one queue; one that waits for calls of its own takes others meanwhile."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._queue: list[tuple[float, int, Batch, int]] = []
        self._number = count()
        self._closed = False
        self._news = Condition()

    def lead(self, calls: Sequence[Callable[[], Any]], costs: Sequence[float]) -> list[Any]:
        """Start the threads, run the calls with them, and let them go."""
        token = _team.set(self)
        others = [
            Thread(target=copy_context().run, args=(self._work, lambda: self._closed)) for _ in range(self.size - 1)
        ]
        try:
            for thread in others:
                thread.start()
            return self.run(calls, costs)
        finally:
            _team.reset(token)
            with self._news:
                self._closed = True
                self._news.notify_all()
            for thread in others:
                thread.join()

    def run(self, calls: Sequence[Callable[[], Any]], costs: Sequence[float]) -> list[Any]:
        """Queue the calls and work until they are done."""
        batch = Batch(calls)
        with self._news:
            for place, cost in enumerate(costs):
                heappush(self._queue, (-cost, next(self._number), batch, place))
            self._news.notify_all()
        self._work(lambda: not batch.left)
        return batch.finish()

    def _work(self, done: Callable[[], bool]) -> None:
        """Make waiting calls until `done`."""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._queue or done())
                if done():
                    return
                *_, batch, place = heappop(self._queue)
            batch.make(place)
            with self._news:
                batch.left -= 1
                if not batch.left:
                    self._news.notify_all()
