"""Laws of the state as arrays: nothing is lost, nothing of other options is taken."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.preconditioner._checkpoint import read, write
from kronlin.preconditioner._refresh import refresh
from kronlin.preconditioner.averages import Averages
from kronlin.preconditioner.clock import STAGES
from kronlin.preconditioner.recipe import Recipe
from kronlin.preconditioner.state import State
from kronlin.storage import FileFormatError, pack
from tests.nets import random_layers

ONE = Recipe(kl.kfac)
TWO = Recipe(kl.kfac, scheme="BNN", coarse_space=kl.coarse.nicolaides)
EIGEN = Recipe(kl.ekfac, basis=kl.kfac)
EACH = pytest.mark.parametrize("recipe", [ONE, TWO, EIGEN], ids=["one", "two", "eigen"])


def empty(recipe, lam=0.1):
    return State(Averages.start(recipe.estimator, recipe.basis, 0.5), lam)


def state_of(recipe, steps=3, lam=0.1):
    state = empty(recipe, lam)
    for step in range(1, steps + 1):
        layers = random_layers(np.random.default_rng(step), 6, 2, [(2, 3), (3, 2), (2, 3)], 2)
        due = STAGES if step == 1 else ("factors",)
        state = refresh(recipe, state, step, due if recipe.scheme else due[:2], layers, lam)
    return state


@EACH
@pytest.mark.parametrize("lam", [0.1, (0.1, 0.2, 1 / 3)])
def test_nothing_is_lost(recipe, lam, tmp_path):
    state = state_of(recipe, lam=lam)
    np.savez(tmp_path / "state.npz", **write(state, {"step": 3, "x": np.arange(2.0)}))
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        found, values = read(recipe, empty(recipe).averages, file, None)
    assert values["step"] == 3
    np.testing.assert_array_equal(values["x"], np.arange(2.0))
    assert (found.lam, found.made) == (lam, state.made)
    assert found.averages.main.count == 3
    assert type(found.operator) is type(state.operator)
    assert found.operator.properties == state.operator.properties
    for one, other in [(found.operator, state.operator), (found.averages.value, state.averages.value)]:
        np.testing.assert_array_equal(one.to_dense(), other.to_dense())


def test_what_is_shared_is_stored_once():
    state = state_of(ONE, steps=1)
    arrays = write(state, {})
    assert state.blocks is state.averages.value
    assert len(arrays) - 1 == len(list(state.blocks._arrays()))
    found = read(ONE, empty(ONE).averages, arrays, "numpy")[0]
    assert found.blocks is found.averages.value


def test_an_empty_state():
    found, values = read(ONE, empty(ONE).averages, write(empty(ONE), {"step": 0}), None)
    assert (found.operator, found.made, found.averages.main.count) == (None, {}, 0)
    assert values["step"] == 0


@pytest.mark.parametrize(("stored", "read_by"), [(ONE, TWO), (TWO, ONE), (ONE, EIGEN), (EIGEN, ONE)])
def test_a_state_of_other_options_is_refused(stored, read_by):
    with pytest.raises(ValueError, match="with the scheme and the basis that it had"):
        read(read_by, empty(read_by).averages, write(state_of(stored), {}), None)


def test_a_state_of_something_else_is_refused():
    with pytest.raises(FileFormatError, match="not made by kronlin"):
        read(ONE, empty(ONE).averages, {"0": np.eye(2)}, None)
    with pytest.raises(ValueError, match="not one of a Preconditioner"):
        read(ONE, empty(ONE).averages, pack({}, {"step": 1}), None)
