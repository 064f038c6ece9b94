"""Partition: gather and scatter undo each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kronlin.arrays import kind
from kronlin.operators.partition import Partition
from tests.matrices import normal


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(1, 3))
def test_scatter_undoes_gather(sizes, k):
    groups = {}
    for place, size in enumerate(sizes):
        groups.setdefault(size, []).append(place)
    cut = Partition(list(groups), tuple(map(tuple, groups.values())), kind(np.ones(1)))
    x = normal((sum(sizes), k))
    pieces = [cut.gather(x, group) for group in range(len(groups))]
    for (size, members), piece in zip(groups.items(), pieces, strict=True):
        assert piece.shape == ((size, k) if len(members) == 1 else (len(members), size, k))
    np.testing.assert_array_equal(cut.scatter(pieces), x)
    assert (cut.sizes, cut.total) == (sizes, sum(sizes))


def test_pieces_that_follow_one_another_are_views():
    x = normal((6, 1))
    cut = Partition([2], ((0, 1, 2),), kind(x))
    assert np.shares_memory(cut.gather(x, 0), x)


def test_on_every_library(lib):
    like = lib.asarray([0.0])
    cut = Partition([2, 1], ((0, 2), (1,)), kind(like))
    x = lib.asarray(np.arange(5.0)[:, None])
    pieces = [cut.gather(x, group) for group in (0, 1)]
    np.testing.assert_array_equal(lib.numpy(pieces[0])[..., 0], [[0, 1], [3, 4]])
    back = cut.scatter(pieces)
    assert lib.owns(back)
    np.testing.assert_array_equal(lib.numpy(back), lib.numpy(x))
