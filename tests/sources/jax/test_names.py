"""Names of arrays, and trees with other arrays."""

from typing import NamedTuple

import numpy as np
import pytest

from kronlin.sources.jax._names import named_arrays, rebuilt

pytest.importorskip("jax")


class Dense(NamedTuple):
    kernel: np.ndarray
    bias: np.ndarray


TREE = {"b": [Dense(np.zeros((2, 1)), np.zeros(1)), np.ones(3)], "a": {"x": np.ones(2)}}


def test_names_are_the_ways_to_the_arrays():
    assert list(named_arrays(TREE)) == ["a/x", "b/0/kernel", "b/0/bias", "b/1"]
    assert named_arrays(TREE)["b/1"] is TREE["b"][1]
    assert list(named_arrays(np.ones(2))) == [""]


def test_rebuilt_keeps_what_has_no_new_array():
    new = rebuilt(TREE, {"b/0/bias": np.asarray([7.0])})
    assert new["b"][0].bias.tolist() == [7.0]
    assert new["b"][0].kernel is TREE["b"][0].kernel
    assert new["a"]["x"] is TREE["a"]["x"]


def test_the_same_name_twice():
    with pytest.raises(ValueError, match="two arrays of the tree have the same name among 'a/b'"):
        named_arrays({"a": {"b": np.ones(1)}, "a/b": np.ones(1)})
