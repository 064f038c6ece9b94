"""Laws of `Galerkin` where columns of Z depend on each other: they are dropped, counted, and change nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.coarse import spectral
from kronlin.curvature import fisher, kfac
from kronlin.galerkin import Galerkin
from tests.nets import close, mlp_layers
from tests.triples import random_spd, triples


def distance(found, wanted):
    return np.linalg.norm(found - wanted, 2)


@given(triples(hardest=5, scaled=False), st.data())
def test_dependent_columns_are_dropped(triple, data):
    """Copies, multiples and zeros beside Z leave Q as it is and are counted."""
    A, _, Z = triple
    copies = data.draw(st.lists(st.integers(0, triple.k - 1), max_size=3))
    factors = data.draw(st.lists(st.sampled_from([1.0, -3.0, 1e-6, 1e5]), min_size=3, max_size=3))
    zeros = data.draw(st.integers(0, 2))
    extra = [Z[:, [j]] * c for j, c in zip(copies, factors, strict=False)]
    wide = np.concatenate([Z, *extra, np.zeros((len(A), zeros))], axis=1)
    one, other = Galerkin(A, Z), Galerkin(A, wide)
    assert other.dropped == len(copies) + zeros
    assert other.Q.is_psd is True
    assert distance(one.Q.to_dense(), other.Q.to_dense()) <= 1e-10 * np.linalg.norm(one.Q.to_dense(), 2)
    assert distance(one.P.to_dense(), other.P.to_dense()) <= 1e-10 * np.linalg.norm(one.P.to_dense(), 2)


@given(triples(hardest=5, scaled=False), st.integers(0, 2**32 - 1))
def test_mixed_columns_of_too_small_a_range(triple, seed):
    """Twice as many random combinations of the columns of Z as it has."""
    A, _, Z = triple
    wide = Z @ np.random.default_rng(seed).standard_normal((triple.k, 2 * triple.k))
    one, other = Galerkin(A, Z), Galerkin(A, wide)
    assert distance(one.Q.to_dense(), other.Q.to_dense()) <= 1e-9 * np.linalg.norm(one.Q.to_dense(), 2)


@pytest.mark.parametrize("lam", [1e-1, 1e-4])
def test_dependent_columns_on_a_fisher_matrix(lam):
    layers, _ = mlp_layers()
    A, Z = fisher(layers).damped(lam), spectral(kfac(layers), 3, "largest").to_dense()
    one = Galerkin(A, Z)
    other = Galerkin(A, np.concatenate([Z, Z[:, ::-1], Z[:, :2] + Z[:, 2:4], np.zeros((64, 1))], axis=1))
    assert (one.dropped, other.dropped) == (0, 12)
    close(other.Q.to_dense(), one.Q.to_dense(), 1e-10)
    assert np.linalg.eigvalsh(other.E)[0] >= -1e-14 * np.linalg.norm(other.E, 2)
    assert other.condition() == (np.inf, np.inf)
    assert "12 dropped" in repr(other)


def test_zero_coarse_space():
    coarse = Galerkin(np.eye(3), np.zeros((3, 2)))
    assert coarse.dropped == 2
    np.testing.assert_array_equal(coarse.Q.to_dense(), np.zeros((3, 3)))
    np.testing.assert_array_equal(coarse.P.to_dense(), np.eye(3))


@pytest.mark.parametrize("hardest", [3, 5, 8])
@pytest.mark.parametrize("seed", range(5))
def test_mixed_columns_of_low_energy(hardest, seed):
    """Z in the span of the two lowest eigenvectors, where rounding errors of A Z weigh most."""
    rng = np.random.default_rng(seed)
    A = random_spd(rng, 10, hardest)
    Z = np.linalg.eigh(A)[1][:, :2]
    one, other = Galerkin(A, Z), Galerkin(A, Z @ rng.standard_normal((2, 4)))
    assert other.dropped == 2
    limit = 1e-15 * 10.0**hardest + 1e-12
    assert distance(one.Q.to_dense(), other.Q.to_dense()) <= limit * np.linalg.norm(one.Q.to_dense(), 2)
