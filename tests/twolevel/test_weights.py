"""The weights of a fine and a coarse term: numbers of any kind, checked."""

import numpy as np
import pytest

from kronlin.twolevel._weights import checked_weights


@pytest.mark.parametrize("weights", [(1, 2), [1.0, 2.0], (np.float32(1), np.asarray(2)), np.array([1.0, 2.0])])
def test_become_floats(weights):
    found = checked_weights(weights)
    assert found == (1.0, 2.0)
    assert [type(weight) for weight in found] == [float, float]


@pytest.mark.parametrize(
    "weights", [(0, 1), (1, -1), (1,), (1, 2, 3), (1, np.inf), (np.nan, 1), (1j, 1), ("a", 1), (True, 1), 3.0]
)
def test_refused(weights):
    with pytest.raises(ValueError, match="two positive numbers, not"):
        checked_weights(weights)
