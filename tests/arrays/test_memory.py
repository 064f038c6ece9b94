"""The memory limit: how it cuts an axis, and whom it reaches."""

from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.arrays import join, kind, pieces
from tests.matrices import DTYPES

DOUBLE = kind(np.ones(1))


def default_is_in_force() -> bool:
    """128 MiB are one piece of the default limit, 512 MiB two."""
    return len(pieces(4, 2**22, DOUBLE)) == 1 and len(pieces(4, 2**24, DOUBLE)) == 2


@given(st.integers(0, 20), st.integers(0, 50), st.integers(1, 2000), st.sampled_from(DTYPES))
def test_pieces_cover_the_axis_within_the_limit(length, entries, limit, dtype):
    own = kind(np.ones(1, dtype))
    with kl.memory_limit(limit):
        found = pieces(length, entries, own)
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(length))
    sizes = [part.stop - part.start for part in found]
    assert all(size == 1 or size * entries * own.itemsize <= limit for size in sizes)
    if len(sizes) > 1:
        assert (sizes[0] + 1) * entries * own.itemsize > limit  # as few as possible
        assert len(set(sizes[:-1])) == 1


def test_the_limit_ends_with_its_block_and_blocks_nest():
    assert default_is_in_force()
    with kl.memory_limit(80):
        assert len(pieces(10, 1, DOUBLE)) == 1
        with kl.memory_limit(8):
            assert len(pieces(10, 1, DOUBLE)) == 10
        assert len(pieces(10, 1, DOUBLE)) == 1
        assert len(pieces(11, 1, DOUBLE)) == 2
    assert default_is_in_force()


def test_an_error_ends_it_too():
    with pytest.raises(KeyError), kl.memory_limit(1):
        raise KeyError
    assert default_is_in_force()


def test_it_decorates_a_function():
    assert kl.memory_limit(8)(lambda: len(pieces(10, 1, DOUBLE)))() == 10
    assert default_is_in_force()


def test_another_thread_is_not_reached():
    """Nor does its limit reach this one."""
    seen = []

    def other():
        with kl.memory_limit(8):
            seen.append(len(pieces(10, 1, DOUBLE)))

    with kl.memory_limit(16):
        thread = Thread(target=other)
        thread.start()
        thread.join()
        seen.append(len(pieces(10, 1, DOUBLE)))
    assert seen == [10, 5]


@pytest.mark.parametrize("limit", [0, -1, 0.5, float("nan")])
def test_a_limit_is_a_number_of_bytes(limit):
    with pytest.raises(ValueError, match="at least 1"), kl.memory_limit(limit):
        pass


def test_one_piece_is_not_copied(lib):
    x, y = lib.asarray(np.ones((2, 1))), lib.asarray(np.ones((2, 2)))
    assert join([x], axis=-1) is x
    assert join([x, y], axis=-1).shape == (2, 3)
    assert lib.owns(join([x, y], axis=-1))
