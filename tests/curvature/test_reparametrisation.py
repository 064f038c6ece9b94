"""Whose step, without damping, does not depend on the coordinates in which a network is written, and whose does.

Inputs a → T a with W → W T⁻¹ and outputs z → R z with W → R W leave the function of a layer as it is. A step that is
invariant moves with the weights, ΔW → R ΔW T⁻¹.
"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, Linear, Reduce, Sequential, collect
from tests.nets import close, random_layers
from tests.networks import problem
from tests.triples import random_matrix

seeds, widths = st.integers(0, 2**32 - 1), st.integers(1, 3)
SHARING = st.sampled_from(["expand", "reduce"])
CONDITION = 3.0
REGULAR = 1e-9
"""From there on no eigenvalue of a factor, beside its largest, is taken for zero."""


def regular(rng, d, dtype="float64"):
    """A matrix of a condition of at most 3."""
    left, right = (np.linalg.qr(random_matrix(rng, d, d, dtype == "complex128"))[0] for _ in range(2))
    return left * rng.uniform(1, CONDITION, d) @ right


def moved(layer, T, R):
    """The layer in new coordinates: a → T a, and g → R⁻ᵀ g, since g is the derivative by z."""
    return kl.LayerStatistics(layer.inputs @ T.T, layer.output_gradients @ np.linalg.inv(R))


def steps(build, layer, T, R, V, lam=0.0):
    """The step for a gradient V, and that for R⁻ᵀ V Tᵀ in new coordinates, brought back by R⁻¹ ΔW T.

    Over ℂ by the conjugates of R and T, for G is made of g gᴴ and A of a aᴴ.
    """

    def step(layer, V):
        K = build([layer])
        K = K.damped(lam) if lam else K
        return K.solve(V.ravel()).reshape(V.shape)

    found = step(moved(layer, T, R), np.linalg.inv(R).T @ V @ T.T)
    return step(layer, V), np.linalg.inv(R).conj() @ found @ T.conj()


def setting(d_out, d_in, S, seed, n=40, dtype="float64"):
    """A layer with regular factors, new coordinates, and a gradient."""
    rng = np.random.default_rng(seed)
    layer = random_layers(rng, n, 3, [(d_out, d_in)], S, dtype=dtype)[0]
    return layer, regular(rng, d_in, dtype), regular(rng, d_out, dtype), rng.standard_normal((d_out, d_in))


INVARIANT = {
    "expand": kl.kfac,
    "reduce": lambda layers: kl.kfac(layers, "reduce"),
    "blocks": kl.block_diagonal_fisher,
    "fisher": kl.fisher,
}
NOT = {
    "ekfac": kl.ekfac,
    "tkfac": kl.tkfac,
    "kpsvd": kl.kpsvd,
    "shampoo": kl.shampoo,
    "diagonal": kl.diagonal_fisher,
}


# One layer


@given(
    widths,
    widths,
    st.integers(1, 3),
    st.sampled_from(["float64", "complex128"]),
    st.sampled_from(list(INVARIANT)),
    seeds,
)
def test_linear_maps_of_inputs_and_outputs(d_out, d_in, S, dtype, name, seed):
    layer, T, R, V = setting(d_out, d_in, S, seed, dtype=dtype)
    one, other = steps(INVARIANT[name], layer, T, R, V)
    close(other, one, 1e-9)


@given(widths, widths, st.integers(1, 3), seeds)
def test_mini_blocks_move_with_the_inputs_and_foof_with_its_inputs(d_out, d_in, S, seed):
    """Any map of the inputs; of the outputs a scale of each for mini-blocks, and nothing but a rotation for FOOF."""
    layer, T, R, V = setting(d_out, d_in, S, seed)
    rotation = np.linalg.qr(R)[0]
    for build, outputs in ((kl.mini_block_fisher, np.diag(np.diag(R) + 4)), (kl.foof, rotation)):
        one, other = steps(build, layer, T, outputs, V)
        close(other, one, 1e-9)


@given(widths, widths, st.integers(1, 3), st.sampled_from(["ekfac", "tkfac", "kpsvd", "shampoo"]), seeds)
def test_rotations(d_out, d_in, S, name, seed):
    """Orthogonal coordinates: all but what picks rows or entries."""
    layer, T, R, V = setting(d_out, d_in, S, seed)
    one, other = steps(NOT[name], layer, np.linalg.qr(T)[0], np.linalg.qr(R)[0], V)
    close(other, one, 1e-6)


@pytest.mark.parametrize("name", NOT)
def test_what_is_not_invariant(name):
    one, other = steps(NOT[name], *setting(3, 2, 1, 0, n=12))
    assert np.linalg.norm(one - other) > 1e-2 * np.linalg.norm(one)


@pytest.mark.parametrize("name", INVARIANT)
def test_damping_breaks_it(name):
    one, other = steps(INVARIANT[name], *setting(3, 2, 1, 0), lam=0.3)
    assert np.linalg.norm(one - other) > 1e-2 * np.linalg.norm(one)


# Whole networks


def kfac_step(problem, sharing="expand", lam=0.0):
    """The layers' steps as matrices [W | b], and the least eigenvalue of a factor beside its largest."""
    layers, gradient, _ = collect(*problem)
    K = kl.kfac(layers, sharing)
    values = [factor.eigvalsh() for block in K.blocks for factor in block.factors]
    step = (K.damped(lam) if lam else K.pinv()) @ gradient
    ends = np.cumsum([layer.parameters for layer in layers])
    parts = [
        step[end - layer.parameters : end].reshape(layer.d_out, layer.d_in)
        for layer, end in zip(layers, ends, strict=True)
    ]
    return parts, min(w[0] / w[-1] for w in values)


def with_weights(problem, weights, x=None):
    net = problem.net.with_parameters(np.concatenate([W.ravel() for W in weights]))
    return problem._replace(net=net, x=problem.x if x is None else x)


def weights_of(problem):
    return [layer.weight for layer in problem.net.layers]


NETS = {
    "perceptron": (lambda phi: MLP((2, 2, 3), phi), "expand"),
    "sequence": (lambda phi: Sequential((3, 2), [Linear(2, activation=phi), Linear(3)]), "expand"),
    "reduced": (
        lambda phi: Sequential((3, 2), [Linear(2, activation=phi), Reduce("mean", axis=0), Linear(3)]),
        "reduce",
    ),
}


def affine(rng, d):
    """(T, t; 0, 1): x → T x + t as it acts on [x; 1]."""
    A = np.eye(d + 1)
    A[:d, :d], A[:d, d] = regular(rng, d), rng.standard_normal(d)
    return A


@given(st.sampled_from(list(NETS)), st.sampled_from(["tanh", "identity"]), seeds)
def test_affine_maps_of_the_data(kind, phi, seed):
    """X → T x + t with [W | b] → [W | b] A⁻¹ in the first layer: the function is the same, and so is its step."""
    make, sharing = NETS[kind]
    case, rng = problem(make(phi), "mse", 30, seed), np.random.default_rng(seed)
    A = affine(rng, 2)
    first, *others = weights_of(case)
    other = with_weights(case, [first @ np.linalg.inv(A), *others], case.x @ A[:2, :2].T + A[:2, 2])
    np.testing.assert_allclose(other.net(other.x), case.net(case.x), atol=1e-10)
    one, least = kfac_step(case, sharing)
    assume(least > REGULAR)
    two, _ = kfac_step(other, sharing)
    for found, wanted in zip([two[0] @ A, *two[1:]], one, strict=True):
        close(found, wanted, 1e-12 / least + 1e-9)


@given(seeds)
def test_affine_maps_between_the_layers_of_a_linear_network(seed):
    """Z → R z + r after the first layer is undone by the second."""
    case, rng = problem(MLP((2, 2, 3), "identity"), "mse", 30, seed), np.random.default_rng(seed)
    A = affine(rng, 2)
    first, second = weights_of(case)
    bias = np.vstack([first, [[0.0, 0.0, 1.0]]])
    other = with_weights(case, [(A @ bias)[:2], second @ np.linalg.inv(A)])
    np.testing.assert_allclose(other.net(other.x), case.net(case.x), atol=1e-10)
    (one, two), least = kfac_step(case)
    assume(least > REGULAR)
    (first_step, second_step), _ = kfac_step(other)
    close(first_step, A[:2, :2] @ one, 1e-12 / least + 1e-9)
    close(second_step @ A, two, 1e-12 / least + 1e-9)


def test_damping_breaks_it_on_a_network():
    case, rng = problem(MLP((2, 3, 2), "tanh"), "mse", 30), np.random.default_rng(0)
    A = affine(rng, 2)
    first, *others = weights_of(case)
    other = with_weights(case, [first @ np.linalg.inv(A), *others], case.x @ A[:2, :2].T + A[:2, 2])
    for lam in (0.0, 0.3):
        ((one, *_), _), ((two, *_), _) = (kfac_step(each, lam=lam) for each in (case, other))
        assert (np.linalg.norm(two @ A - one) > 1e-2 * np.linalg.norm(one)) == (lam > 0)
