"""The state is a value."""

from dataclasses import FrozenInstanceError

import pytest

import kronlin as kl
from kronlin.preconditioner.averages import Averages
from kronlin.preconditioner.state import State


def test_is_a_value():
    one, other = (State(Averages.start(kl.kfac, None, 0.5), 1.0) for _ in range(2))
    assert (one.blocks, one.F, one.Z, one.M, one.operator) == (None,) * 5
    assert one.made is not other.made
    with pytest.raises(FrozenInstanceError):
        one.lam = 2.0
