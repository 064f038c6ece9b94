"""Calls on a team of threads: their results, order, errors, nesting, and when they stay on one thread."""

import threading
from contextlib import nullcontext

import numpy as np
import pytest

from kronlin.arrays import _team
from kronlin.arrays._team import WORTH_A_THREAD, concurrently

DEAR = 10 * WORTH_A_THREAD


@pytest.fixture
def two(monkeypatch):
    """Two threads, whatever the machine has and whether threadpoolctl is there."""

    class Blas:
        def limit(self, limits):
            assert limits == 1
            return nullcontext()

    monkeypatch.setattr(_team, "threads", lambda: 2)
    monkeypatch.setattr(_team, "_blas", Blas)


def where():
    return threading.current_thread()


def test_results_keep_their_order_and_two_threads_meet(two):
    barrier = threading.Barrier(2, timeout=10)

    def call(i):
        barrier.wait()
        return i

    assert concurrently([lambda: call(0), lambda: call(1)], [DEAR, DEAR]) == [0, 1]


def test_the_dearest_comes_first(two):
    started = []
    barrier = threading.Barrier(2, timeout=10)

    def call(i):
        started.append(i)
        if len(started) < 3:
            barrier.wait()

    concurrently([lambda i=i: call(i) for i in range(4)], [DEAR, 3 * DEAR, 2 * DEAR, DEAR / 2])
    assert set(started[:2]) == {1, 2}
    assert set(started) == {0, 1, 2, 3}


def test_nested_calls_join_the_team(two):
    """Four calls of a nested batch can meet in pairs only if both threads take them."""
    barrier = threading.Barrier(2, timeout=10)

    def inner():
        barrier.wait()
        return where()

    def outer():
        return set(concurrently([inner] * 4, [DEAR] * 4))

    threads, nothing = concurrently([outer, lambda: None], [DEAR, DEAR])
    assert len(threads) == 2
    assert nothing is None


def test_the_error_of_the_first_failed_call_is_raised_and_the_threads_end(two):
    before, made = threading.active_count(), []

    def fail(name):
        raise ValueError(name)

    calls = [lambda: made.append(0), lambda: fail("second"), lambda: fail("third"), lambda: made.append(3)]
    with pytest.raises(ValueError, match="second"):
        concurrently(calls, [DEAR, DEAR, 2 * DEAR, DEAR])
    assert sorted(made) == [0, 3]
    assert threading.active_count() == before
    assert concurrently([where, where], [DEAR, DEAR])


def test_threads_see_the_error_state_of_the_caller(two):
    barrier = threading.Barrier(2, timeout=10)

    def call():
        barrier.wait()
        return np.geterr()["over"]

    with np.errstate(over="raise"):
        assert concurrently([call, call], [DEAR, DEAR]) == ["raise", "raise"]


@pytest.mark.parametrize("costs", [[1.0, 1.0], [100 * DEAR, DEAR / 10]], ids=["cheap", "one takes all"])
def test_what_does_not_pay_stays_on_one_thread(two, costs):
    assert concurrently([where, where], costs) == [where(), where()]


def test_a_second_team_at_the_same_time_stays_on_its_own_thread(two):
    with _team._alone:
        assert concurrently([where, where], [DEAR, DEAR]) == [where(), where()]
    barrier = threading.Barrier(2, timeout=10)
    concurrently([barrier.wait, barrier.wait], [DEAR, DEAR])


def test_without_threadpoolctl_all_stays_on_one_thread(monkeypatch):
    monkeypatch.setattr(_team, "_blas", lambda: None)
    assert _team.threads() == 1
    assert concurrently([where, where], [DEAR, DEAR]) == [where(), where()]


def test_a_missing_threadpoolctl_is_no_error(monkeypatch):
    def missing(name, extra):
        assert extra == "speed"
        raise ImportError(name)

    monkeypatch.setattr(_team, "optional_import", missing)
    assert _team._blas.__wrapped__() is None


def test_as_many_threads_as_the_blas_may_use():
    """OPENBLAS_NUM_THREADS=1, under which these tests may run, keeps everything on one thread."""
    controller = pytest.importorskip("threadpoolctl").ThreadpoolController().select(user_api="blas")
    with controller.limit(limits=1):
        assert _team.threads() == 1
    assert _team.threads() >= 1
