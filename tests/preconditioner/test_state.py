"""The state is a value."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import kronlin as kl
from kronlin.preconditioner.averages import Averages
from kronlin.preconditioner.state import State
from tests.nets import random_layers


def test_is_a_value():
    one, other = (State(Averages.start(kl.kfac, None, 0.5), 1.0) for _ in range(2))
    assert (one.blocks, one.F, one.Z, one.M, one.operator) == (None,) * 5
    assert one.made is not other.made
    with pytest.raises(FrozenInstanceError):
        one.lam = 2.0


def test_any_net_may_come_first():
    layers = random_layers(np.random.default_rng(0), 2, 1, [(2, 2)])
    State(Averages.start(kl.kfac, None, 0.5), 1.0).require_same_net(layers)
    fitting = State(Averages.start(kl.kfac, None, 0.5), 1.0, operator=kl.Dense(np.eye(4)))
    fitting.require_same_net(layers)
    other = State(Averages.start(kl.kfac, None, 0.5), 1.0, operator=kl.Dense(np.eye(5)))
    with pytest.raises(ValueError, match=r"4 parameters .* so far has 5 .* one preconditioner serves one net"):
        other.require_same_net(layers)
