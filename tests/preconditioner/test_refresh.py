"""Laws of a refresh: each piece is made from what it should be, with one λ, and the rest is kept as it is."""

from dataclasses import fields

import numpy as np
import pytest

import kronlin as kl
from kronlin.preconditioner._refresh import refresh
from kronlin.preconditioner.averages import Averages
from kronlin.preconditioner.clock import STAGES
from kronlin.preconditioner.recipe import Recipe
from kronlin.preconditioner.state import State
from tests.nets import random_layers

RECIPE = Recipe(scheme="BNN", coarse_space=kl.coarse.nicolaides)


def layers(seed):
    return random_layers(np.random.default_rng(seed), 6, 2, [(2, 3), (3, 2)], 2)


def first(recipe=RECIPE, lam=0.1):
    return refresh(recipe, State(Averages.start(kl.kfac, None, 0.5), lam), 1, STAGES, layers(0), lam)


def wanted(blocks, F, Z, lam):
    A, M = kl.tikhonov_damping(F, lam), kl.tikhonov_damping(blocks, lam).inverse()
    return kl.two_level(A, M, Z, "BNN").to_dense()


def equals(state, blocks, F, Z, lam):
    np.testing.assert_array_equal(state.operator.to_dense(), wanted(blocks, F, Z, lam))


def test_all_at_once():
    state, K = first(), kl.kfac(layers(0))
    assert state.made == dict.fromkeys(STAGES, 1)
    equals(state, K, kl.fisher(layers(0)), kl.coarse.nicolaides(K), 0.1)


def test_nothing_is_due():
    state = first()
    again = refresh(RECIPE, state, 2, (), (), 0.1)
    assert again.M is state.M
    assert again.operator.coarse is state.operator.coarse
    np.testing.assert_array_equal(again.operator.to_dense(), state.operator.to_dense())


def test_factors_alone_change_no_step():
    state = first()
    again = refresh(RECIPE, state, 2, ("factors",), layers(1), 0.1)
    assert again.averages.main.count == 2
    assert (again.blocks, again.M, again.F, again.Z) == (state.blocks, state.M, state.F, state.Z)
    assert again.made == {**state.made, "factors": 2}


def test_new_inverses_keep_the_coarse_problem():
    state = first()
    again = refresh(RECIPE, state, 2, ("factors", "inverses"), layers(1), 0.1)
    assert again.operator.coarse is state.operator.coarse
    mean = kl.RunningAverage(0.5).update(kl.kfac(layers(0))).update(kl.kfac(layers(1))).value
    equals(again, mean, state.F, state.Z, 0.1)


def test_a_new_coarse_matrix_alone():
    state = first()
    again = refresh(RECIPE, state, 2, ("coarse",), layers(1), 0.1)
    assert (again.M, again.Z) == (state.M, state.Z)
    equals(again, state.blocks, kl.fisher(layers(1)), state.Z, 0.1)


@pytest.mark.parametrize("due", [(), ("factors",), ("coarse",), ("factors", "inverses"), STAGES])
@pytest.mark.parametrize("lam", [0.7, (0.2, 0.3)])
def test_another_damping_goes_into_all_pieces(due, lam):
    again = refresh(RECIPE, first(), 2, due, layers(1), lam)
    assert again.lam == lam
    equals(again, again.blocks, again.F, again.Z, lam)


def test_one_level():
    recipe = Recipe(damp=kl.factored_damping)
    state = refresh(recipe, State(Averages.start(kl.kfac, None, 0.5), 0.1), 1, STAGES[:2], layers(0), 0.1)
    assert state.operator is state.M
    assert all(type(block) is kl.Kronecker for block in state.operator.blocks)


def test_where_it_raises_the_state_is_as_it_was():
    state = first()
    before = {field.name: getattr(state, field.name) for field in fields(state)}
    recipe = Recipe(scheme="BNN", coarse_space=lambda blocks: np.full((blocks.shape[0], 1), np.nan))
    with pytest.raises(ValueError, match="NaN"):
        refresh(recipe, state, 2, STAGES, layers(1), 0.2)
    assert before == {field.name: getattr(state, field.name) for field in fields(state)}


def test_the_fisher_matrix_is_kept_in_rows():
    """So that products with it are the same to the last bit when it comes back from a file."""
    turned = [
        kl.LayerStatistics(np.asfortranarray(layer.inputs), layer.output_gradients.swapaxes(1, 2).copy().swapaxes(1, 2))
        for layer in layers(0)
    ]
    state = refresh(RECIPE, State(Averages.start(kl.kfac, None, 0.5), 0.1), 1, STAGES, turned, 0.1)
    assert not all(layer.inputs.flags.c_contiguous for layer in turned)
    assert all(array.flags.c_contiguous for array in state.F._arrays())
