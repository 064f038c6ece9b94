"""Single layers, parts of layers and pairs of layers whose Fisher block is a Kronecker product, to 1e-12."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import Identity
from kronlin.curvature import LayerStatistics, block_diagonal_fisher, fisher, kfac
from kronlin.operators import Kronecker
from kronlin.sources.numpy_mlp import MLP, Linear, Reduce, Sequential, collect
from tests.complex_step import truth
from tests.curvature.exactness import EXACT, INEXACT, diagonal_blocks, distance, distances
from tests.nets import close, random_layers
from tests.networks import networks, problem, problems

SHARING = pytest.mark.parametrize("sharing", ["expand", "reduce"])
counts, seeds = st.integers(1, 4), st.integers(0, 2**32 - 1)


# The output layer


@given(problems(("perceptron", "sequence"), ("mse",)))
def test_output_layer_with_squared_error_of_any_network(problem):
    """Its gradients are the same for all examples; over positions, each of which has a loss, expand is meant."""
    assert distances(problem)[-1] <= EXACT


@pytest.mark.parametrize("shape", [(4,), (3, 4)])
def test_the_other_layers_are_not_exact(shape):
    hidden = [Linear(3, activation="tanh"), Linear(3, activation="tanh")]
    case = problem(Sequential(shape, [*hidden, Linear(2)]), n=6)
    assert min(distances(case)[:2]) > INEXACT
    assert min(distances(problem(case.net, "softmax", 6))) > INEXACT


@given(networks(("perceptron", "sequence", "reduced midway")), st.sampled_from(["softmax", "bernoulli"]), counts, seeds)
def test_output_layer_of_weight_zero(net, loss, n, seed):
    """All probabilities are the same, so that the Hessian of the loss is one matrix."""
    case = problem(net, loss, n, seed)
    parameters = case.net.parameters.copy()
    parameters[-case.net.layers[-1].weight.size :] = 0
    case = case._replace(net=case.net.with_parameters(parameters))
    assert distances(case)[-1] <= EXACT


# Data of a special form


@given(counts, counts, counts, st.integers(1, 3), seeds)
def test_inputs_and_gradients_on_a_grid(inputs, gradients, S, K, seed):
    """Every input beside every gradient: in the sample they are independent."""
    rng = np.random.default_rng(seed)
    a, g = rng.standard_normal((inputs, 1, 3)), rng.standard_normal((gradients, 1, K, 2))
    layer = LayerStatistics(np.repeat(a, gradients, axis=0), np.tile(g, (inputs, 1, 1, 1)))
    assert distance(kfac([layer]).to_dense(), block_diagonal_fisher([layer]).to_dense()) <= EXACT


@given(
    networks(("reduced at the end", "reduced midway", "sequence")), st.sampled_from(["mse", "softmax"]), counts, seeds
)
def test_the_same_input_everywhere(net, loss, n, seed):
    """Of all examples at all positions: reduce is exact on the first layer."""
    case = problem(net, loss, n, seed)
    case = case._replace(x=np.broadcast_to(case.x[:1, :1], case.x.shape).copy())
    assert distances(case, "reduce")[0] <= EXACT


@SHARING
@given(networks(("reduced at the end",)), st.sampled_from(["mse", "softmax", "bernoulli"]), seeds)
def test_equal_positions_of_one_example(sharing, net, loss, seed):
    """The truth is that of reduce, and S times that of expand."""
    case = problem(net, loss, 1, seed)
    case = case._replace(x=np.broadcast_to(case.x[:, :1], case.x.shape).copy())
    layers = collect(*case)[0]
    for layer, block, wanted in zip(
        layers, kfac(layers, sharing).blocks, diagonal_blocks(truth(*case).fisher, layers), strict=True
    ):
        scale = layer.S if sharing == "expand" else 1
        assert distance(scale * block.to_dense(), wanted) <= EXACT


# Parts of a layer


def biases(layer):
    """The places of the bias in the vector of a layer: the last entry of each row of `[W | b]`."""
    return np.arange(1, layer.d_out + 1) * layer.d_in - 1


@SHARING
@given(problems())
def test_the_block_of_the_bias(sharing, problem):
    """It is G: of reduce in any network, of expand where the weight is not shared."""
    layers, known = collect(*problem)[0], truth(*problem)
    blocks = zip(
        layers, kfac(layers, sharing).blocks, diagonal_blocks(known.fisher, layers), problem.net.layers, strict=True
    )
    for layer, block, wanted, weights in blocks:
        if weights.bias and (sharing == "reduce" or layer.S == 1):
            chosen = np.ix_(biases(layer), biases(layer))
            assert distance(block.to_dense()[chosen], wanted[chosen]) <= EXACT
            close(block.factors[0].to_dense(), wanted[chosen])


def test_the_block_of_the_bias_of_expand_with_shared_weights():
    case = problem(Sequential((3, 2), [Linear(3, activation="tanh"), Reduce("mean", axis=0)]))
    layer, chosen = collect(*case)[0][0], np.ix_([2, 5, 8], [2, 5, 8])
    assert biases(layer).tolist() == [2, 5, 8]
    assert distance(kfac([layer]).to_dense()[chosen], truth(*case).fisher[chosen]) > INEXACT


@given(st.integers(1, 3), st.integers(1, 3), counts, st.integers(1, 5), st.booleans(), seeds)
def test_one_linear_layer_with_squared_error_needs_no_gradients(d_in, d_out, S, n, bias, seed):
    """G = I: the Fisher matrix is I ⊗ A, times S where each position has a loss."""
    case = problem(Sequential((S, d_in), [Linear(d_out, bias)]), n=n, seed=seed)
    A = kfac(collect(*case)[0]).blocks[0].factors[1]
    assert distance((S * Kronecker(Identity(d_out, dtype="float64"), A)).to_dense(), truth(*case).fisher) <= EXACT


# One weight at two places


def test_a_weight_that_is_used_twice():
    """Two independent paths through one weight are two positions of one example, not two examples."""
    case = problem(Sequential((2, 3), [Linear(2), Linear(2)]), n=1)
    layers, wanted = collect(*case)[0], truth(*case).fisher
    assert max(distances(case)) <= EXACT
    assert min(distances(case, "reduce")) > INEXACT
    for layer, block in zip(layers, diagonal_blocks(wanted, layers), strict=True):
        as_examples = LayerStatistics(*(np.swapaxes(x, 0, 1) for x in (layer.inputs, layer.output_gradients)))
        assert (as_examples.n, as_examples.S) == (2, 1)
        close(2 * kfac([as_examples]).to_dense(), block)


@given(st.integers(1, 3), st.integers(1, 3), seeds)
def test_how_far_expand_is_with_two_independent_paths(d_out, d_in, seed):
    """F - G ⊗ A = ½ (G₁ - G₂) ⊗ (A₁ - A₂): exact if the paths are continued alike, or if their inputs agree."""
    first, second = random_layers(np.random.default_rng(seed), 1, 2, [(d_out, d_in)] * 2)
    zeros = np.zeros((1, 1, 2, d_out))
    columns = [
        np.concatenate([first.output_gradients, zeros], axis=2),
        np.concatenate([zeros, second.output_gradients], axis=2),
    ]
    layer = LayerStatistics(np.concatenate([first.inputs, second.inputs], axis=1), np.concatenate(columns, axis=1))
    (G1, A1), (G2, A2) = ([factor.to_dense() for factor in kfac([use]).blocks[0].factors] for use in (first, second))
    difference = block_diagonal_fisher([layer]).to_dense() - kfac([layer]).to_dense()
    np.testing.assert_allclose(
        difference, np.kron(G1 - G2, A1 - A2) / 2, atol=1e-12 * np.linalg.norm(difference) + 1e-12
    )


# Pairs of layers


@given(problems(("perceptron",), most=1))
def test_blocks_between_layers_of_one_example(problem):
    """F_lm = (Σ_k g_k g′_kᵀ) ⊗ (a a′ᵀ), the cross second moments."""
    layers, wanted = collect(*problem)[0], truth(*problem).fisher
    ends = np.cumsum([0, *(layer.parameters for layer in layers)])
    F = fisher(layers)
    for i, one in enumerate(layers):
        for j, other in enumerate(layers):
            G = one.output_gradients[0, 0].T @ other.output_gradients[0, 0]
            A = np.outer(one.inputs[0, 0], other.inputs[0, 0])
            block = wanted[ends[i] : ends[i + 1], ends[j] : ends[j + 1]]
            assert distance(np.kron(G, A), block) <= EXACT
            assert distance(F.block(i, j).to_dense(), block) <= EXACT


def test_blocks_between_layers_of_two_examples():
    layers = collect(*problem(MLP((3, 3, 2), "tanh"), n=2))[0]
    one, other = layers
    G = np.einsum("nsko,nsku->ou", one.output_gradients, other.output_gradients) / 2
    A = np.einsum("nsi,nsj->ij", one.inputs, other.inputs) / 2
    assert distance(np.kron(G, A), fisher(layers).block(0, 1).to_dense()) > INEXACT
