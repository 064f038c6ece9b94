"""SideStreams: independent calls on streams of their own, on a stand-in for CuPy and on a GPU."""

import threading
from contextvars import ContextVar

import numpy as np
import pytest

from kronlin.arrays._streams import SideStreams
from tests.gpu import fake_array, fake_cupy
from tests.matrices import normal

WORD = ContextVar("WORD", default="unset")


def test_results_come_in_order_from_streams(cuda):
    x = cuda.asarray(normal((5, 5)))
    streams = SideStreams(2)
    results = streams.run([lambda i=i: x * float(i) for i in range(6)], [1.0, 3.0, 2.0, 6.0, 5.0, 4.0])
    for i, result in enumerate(results):
        assert cuda.owns(result)
        np.testing.assert_array_equal(cuda.numpy(result), i * normal((5, 5)))
    assert not streams.busy


def test_the_dearest_begins_first(fake):
    begun = []
    SideStreams(1).run([lambda i=i: begun.append(i) for i in range(3)], [1.0, 3.0, 2.0])
    assert begun == [1, 2, 0]


def test_the_device_is_idle_before_and_each_stream_after(fake):
    SideStreams(1).run([lambda: fake_array.WAITS.append("call")] * 2, [1.0, 1.0])
    assert fake_array.WAITS == ["synchronize", "call", "synchronize", "call", "synchronize"]


def test_a_call_knows_its_stream_allocator_and_context(fake):
    streams, token = SideStreams(2), WORD.set("of the caller")
    try:
        found = streams.run([lambda: (WORD.get(), streams.busy, fake.cuda.get_current_stream())] * 2, [1.0, 1.0])
    finally:
        WORD.reset(token)
    for word, busy, stream in found:
        assert word == "of the caller"
        assert busy
        assert stream is not fake.cuda.Stream.null
    assert fake_cupy.EVENTS.count("allocate from the pool") == 2


def test_threads_share_no_stream_and_keep_their_own(fake):
    streams, found = SideStreams(1), []

    def ask():
        for _ in range(2):
            found.extend(streams.run([fake.cuda.get_current_stream] * 2, [1.0, 1.0]))

    ask()
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert len(set(map(id, found[:4]))) == len(set(map(id, found[4:]))) == 1
    assert found[0] is not found[4]


def test_the_first_error_is_raised_when_all_have_ended(fake):
    ended = []

    def fail(word):
        raise ValueError(word)

    with pytest.raises(ValueError, match="one"):
        SideStreams(2).run([lambda: fail("one"), lambda: fail("two"), lambda: ended.append(3)], [1.0, 2.0, 0.0])
    assert ended == [3]
