"""Recipes: each formula against the same by hand, and what does not go together."""

from functools import partial

import numpy as np
import pytest

import kronlin as kl
from kronlin.preconditioner.recipe import Recipe
from tests.nets import random_layers

LAYERS = random_layers(np.random.default_rng(0), 6, 2, [(2, 3), (3, 2)])
BLOCKS = kl.kfac(LAYERS)
A = kl.fisher(LAYERS).damped(0.1)
M = BLOCKS.damped(0.1).inverse()


@pytest.mark.parametrize("damp", [kl.tikhonov_damping, kl.factored_damping, kl.per_factor_damping])
def test_fine(damp):
    found = Recipe(damp=damp).fine(BLOCKS, 0.1)
    np.testing.assert_array_equal(found.to_dense(), damp(BLOCKS, 0.1).inverse().to_dense())


@pytest.mark.parametrize(
    ("space", "wanted"),
    [
        (kl.coarse.nicolaides, kl.coarse.nicolaides(BLOCKS)),
        (partial(kl.coarse.spectral, k=2), kl.coarse.spectral(BLOCKS, 2)),
        (kl.coarse.gradients, kl.coarse.gradients(LAYERS)),
        (partial(kl.coarse.krylov, depth=1), kl.coarse.krylov(BLOCKS, M, depth=1)),
        (partial(kl.coarse.ritz, k=2), kl.coarse.ritz(A, 2, M)),
        (lambda **pieces: pieces["none"] if pieces else np.ones((12, 1)), kl.Dense(np.ones((12, 1)))),
        (lambda A, M: M @ (A @ np.ones((12, 1))), kl.Dense(M @ (A @ np.ones((12, 1))))),
    ],
)
def test_space(space, wanted):
    found = Recipe(scheme="AD", coarse_space=space).space(BLOCKS, LAYERS, A, M)
    assert type(found) is type(wanted)
    np.testing.assert_array_equal(found.to_dense(), wanted.to_dense())


@pytest.mark.parametrize("scheme", ["AD", "BNN", "multiplicative"])
def test_combine(scheme):
    Z = kl.coarse.nicolaides(BLOCKS)
    found = Recipe(scheme=scheme, coarse_space=kl.coarse.nicolaides).combine(A, M, Z)
    wanted = kl.two_level(A, M, Z, scheme)
    assert found.scheme == wanted.scheme
    np.testing.assert_array_equal(found.to_dense(), wanted.to_dense())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"scheme": "BNN"}, "two levels take both"),
        ({"coarse_space": kl.coarse.nicolaides}, "two levels take both"),
        ({"scheme": "BMW", "coarse_space": kl.coarse.nicolaides}, "unknown scheme 'BMW'"),
        ({"scheme": "BNN", "coarse_space": kl.coarse.residual}, "the coarse space needs b, and is offered blocks"),
        ({"scheme": "BNN", "coarse_space": lambda blocks, size: blocks}, "needs size"),
    ],
)
def test_arguments_are_checked(options, match):
    with pytest.raises(ValueError, match=match):
        Recipe(**options)


def test_an_inverse_that_is_not_finite_is_refused():
    tiny = kl.Diagonal(np.array([1e-310, 1.0]))
    with pytest.raises(ValueError, match="NaN or infinite: raise the damping"), np.errstate(over="ignore"):
        Recipe(damp=lambda F, lam: F).fine(tiny, 1.0)
