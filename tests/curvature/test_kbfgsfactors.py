"""Laws of the two inverse factors of one layer: where they begin, what their updates keep, when they are set back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.curvature import KBFGSFactors, LayerStatistics, factored_damping, kfac
from tests.nets import close, layer_lists, random_layers

LAM = st.floats(1e-2, 10)


def second_moment(layer):
    """(1/n) Σ_is a aᵀ, one input at a time."""
    return sum(np.outer(a, a) for example in layer.inputs for a in example) / layer.n


def layer(seed=0, S=1, n=20, d_out=3, d_in=4):
    return random_layers(np.random.default_rng(seed), n, 1, [(d_out, d_in)], S)[0]


@given(layer_lists(), LAM)
def test_start(layers, lam):
    for each in layers:
        factors, A = KBFGSFactors.start(each, lam), second_moment(each)
        assert factors.shape == (each.d_out, each.d_in)
        close(factors.A, A, 1e-13)
        close(factors.H_a, np.linalg.inv(A + (lam * each.S) ** 0.5 * np.eye(each.d_in)), 1e-11)
        np.testing.assert_array_equal(factors.H_g, np.eye(each.d_out))
        assert not factors.s.any()
        assert not factors.y.any()


@given(layer_lists(), LAM)
def test_the_split_of_the_damping_is_that_of_factored_damping(layers, lam):
    """With A a sum and G a mean over positions: (G + √(λ/S) I) ⊗ (A + √(λS) I) is K-FAC damped with π = 1/√S."""
    for each in layers:
        [K], S = kfac([each]).blocks, each.S
        G, A = K.factors[0].to_dense() / S, second_moment(each)
        ours = np.kron(G + (lam / S) ** 0.5 * np.eye(len(G)), A + (lam * S) ** 0.5 * np.eye(len(A)))
        pi = S**-0.5
        factors = [K.factors[0].damped(lam**0.5 / pi).to_dense(), K.factors[1].damped(pi * lam**0.5).to_dense()]
        close(ours, np.kron(*factors))
        if S == 1:
            close(ours, factored_damping(K, lam, pi=None).to_dense())


@given(layer_lists(), LAM, st.floats(0, 0.99))
def test_update_of_the_inputs(layers, lam, decay):
    """H_a satisfies its secant equation with the damped running average, and stays positive definite."""
    for each in layers:
        old = KBFGSFactors.start(each, lam)
        moved = LayerStatistics(each.inputs[::-1] + 0.3, each.output_gradients)
        new = old.with_inputs(moved, lam, decay, 100.0)
        close(new.A, decay * old.A + (1 - decay) * second_moment(moved), 1e-13)
        s = old.H_a @ moved.inputs.mean(axis=(0, 1))
        y = new.A @ s + (lam * each.S) ** 0.5 * s
        assert new.skipped == (0, 0)
        close(new.H_a @ y, s, 1e-9)
        assert np.linalg.eigvalsh(new.H_a)[0] > 0
        assert new.H_g is old.H_g


@pytest.mark.parametrize("S", [1, 3])
def test_inputs_of_one_distribution_lead_to_the_inverse(S):
    """The running average settles, the mean inputs point everywhere, and H_a follows from a start that is far off."""
    lam, rng = 0.5, np.random.default_rng(0)
    factors = KBFGSFactors.start(layer(S=S), lam)._replace(H_a=np.eye(4))
    whole = layer(n=4000, S=S)

    def error():
        exact = np.linalg.inv(second_moment(whole) + (lam * S) ** 0.5 * np.eye(4))
        return np.linalg.norm(factors.H_a - exact) / np.linalg.norm(exact)

    first = error()
    for _ in range(300):
        some = rng.choice(4000, 50)
        batch = LayerStatistics(whole.inputs[some], whole.output_gradients[some])
        factors = factors.with_inputs(batch, lam, 0.95, 100.0)
    assert error() < 0.1 * first
    assert error() < 0.05
    assert factors.resets == (0, 0)


@given(st.integers(1, 3), st.integers(1, 4), LAM, st.floats(0, 0.9), st.integers(0, 99))
def test_update_of_the_outputs(S, d_out, lam, decay, seed):
    """With a quadratic loss, y = G s, the secant equation is that of G + √(λ/S) I, whatever the running averages are."""
    rng = np.random.default_rng(seed)
    G = rng.standard_normal((d_out, d_out))
    G = G @ G.T / d_out + np.eye(d_out)
    factors = KBFGSFactors.start(layer(S=S, d_out=d_out), lam)
    for _ in range(3):
        change = rng.standard_normal(d_out)
        old, factors = factors, factors.with_outputs(change, G @ change, lam, decay, 0.01, 1e6)
        close(factors.s, decay * old.s + (1 - decay) * change, 1e-13)
        close(factors.y, decay * old.y + (1 - decay) * G @ change, 1e-13)
        if factors.s @ factors.y >= 0.01 * factors.y @ old.H_g @ factors.y:  # Powell's damping rests
            close(factors.H_g @ (factors.y + (lam / S) ** 0.5 * factors.s), factors.s, 1e-9)
        assert np.linalg.eigvalsh(factors.H_g)[0] > 0
    assert factors.skipped == (0, 0)
    assert factors.H_a is old.H_a


# Edges


def test_nothing_to_learn_from():
    """Zero inputs give no pair for H_a, and no change none for H_g: both are counted and change nothing."""
    factors = KBFGSFactors.start(LayerStatistics(np.zeros((2, 3)), np.zeros((2, 2))), 4.0)
    close(factors.H_a, np.eye(3) / 2)
    new = factors.with_inputs(LayerStatistics(np.zeros((2, 3)), np.zeros((2, 2))), 4.0, 0.9, 100.0)
    new = new.with_outputs(np.zeros(2), np.zeros(2), 4.0, 0.9, 0.2, 100.0)
    assert new.skipped == (1, 1)
    assert new.resets == (0, 0)
    assert new.H_a is factors.H_a
    assert new.H_g is factors.H_g


def spoilt(d, how):
    eye = np.eye(d)
    return {"large": 1e9 * eye, "indefinite": eye - 3 * np.outer(eye[0], eye[0]), "nan": np.nan * eye}[how]


@pytest.mark.parametrize("how", ["large", "indefinite", "nan"])
def test_resets(how):
    given_layer, lam = layer(), 0.25
    start = KBFGSFactors.start(given_layer, lam)
    bad = start._replace(H_a=spoilt(4, how), H_g=spoilt(3, how))
    new = bad.with_inputs(given_layer, lam, 0.9, 100.0).with_outputs(np.eye(3)[1], np.eye(3)[1], lam, 0.9, 0.2, 100.0)
    assert new.resets == (1, 1)
    close(new.H_a, start.H_a, 1e-12)
    np.testing.assert_array_equal(new.H_g, np.eye(3))
    again = new.with_inputs(given_layer, lam, 0.9, 100.0)
    assert again.resets == (1, 1)


@pytest.mark.parametrize("lam", [1e-6, 1e6])
def test_a_start_is_within_the_smallest_bound(lam):
    """Whether 1/√λ or 1 is the larger one: nothing is reset that is exact."""
    given_layer = LayerStatistics(np.zeros((2, 3)), np.ones((2, 2)))
    factors = KBFGSFactors.start(given_layer, lam).with_inputs(given_layer, lam, 0.9, 1.01)
    factors = factors.with_outputs(np.ones(2), np.zeros(2), lam, 0.9, 0.2, 1.01)
    assert factors.resets == (0, 0)
    close(factors.H_g @ np.ones(2), np.ones(2) / lam**0.5, 1e-9)
