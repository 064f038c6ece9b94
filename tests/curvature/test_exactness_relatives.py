"""Where the relatives of K-FAC are the exact block of the Fisher matrix, to 1e-12, and next to it, where not."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect
from tests.complex_step import truth
from tests.curvature.anylayers import any_layers, shapes_of
from tests.curvature.exactness import EXACT, INEXACT, diagonal_blocks, distance
from tests.nets import fisher_by_definition, random_layers
from tests.networks import problem, problems
from tests.triples import random_matrix

seeds, sizes = st.integers(0, 2**32 - 1), st.integers(1, 4)
dtypes = st.sampled_from(["float64", "complex128"])
SEARCHED = 1e-11
"""For a second term, which is searched for beside a first one that can be larger."""

ONE_PRODUCT = {
    "expand": kl.kfac,
    "reduce": lambda layers: kl.kfac(layers, "reduce"),
    "ekfac": kl.ekfac,
    "tkfac": kl.tkfac,
    "kpsvd": kl.kpsvd,
    "corrected": kl.kfac_corrected,
}


def distances(layers, approximation):
    """That of each layer from its block."""
    blocks = zip(layers, approximation.blocks, strict=True)
    return [distance(block.to_dense(), fisher_by_definition([layer])) for layer, block in blocks]


def first(layers, n):
    """The first examples only."""
    return [kl.LayerStatistics(layer.inputs[:n], layer.output_gradients[:n]) for layer in layers]


def two_terms(layers):
    """The nearest sum of two products, or one where the layer is too narrow for two."""
    blocks = zip(layers, kl.block_diagonal_fisher(layers).blocks, strict=True)
    return kl.BlockDiagonal(
        [kl.nearest_kronecker(F, shapes_of(layer), min(2, layer.d_out**2, layer.d_in**2)) for layer, F in blocks]
    )


# One product, and two


@given(any_layers(shared=False), st.sampled_from(list(ONE_PRODUCT)))
def test_one_example_without_shared_weights(layers, name):
    """F_l is one product, and all that can be one find it; so they do if it comes several times."""
    one = first(layers, 1)
    again = [kl.LayerStatistics(*(np.repeat(x, 3, axis=0) for x in (y.inputs, y.output_gradients))) for y in one]
    for case in (one, again):
        assert max(distances(case, ONE_PRODUCT[name](case))) <= EXACT


@given(any_layers(shared=False))
def test_two_examples_without_shared_weights(layers):
    """F_l - G ⊗ A = ¼ (Γ₁ - Γ₂) ⊗ (Λ₁ - Λ₂): two terms, or K-FAC and its correction."""
    two = first(layers, 2)
    assert max(distances(two, two_terms(two))) <= SEARCHED
    assert max(distances(two, kl.kfac_corrected(two))) <= SEARCHED


@given(sizes, sizes, st.integers(1, 3), st.sampled_from([*ONE_PRODUCT]), dtypes, seeds)
def test_inputs_and_gradients_on_a_grid(d_out, d_in, K, name, dtype, seed):
    """Independent in the sample: a product, however many examples there are."""
    layer = random_layers(np.random.default_rng(seed), 3, K, [(d_out, d_in)], dtype=dtype)[0]
    a, g = np.repeat(layer.inputs, 3, axis=0), np.tile(layer.output_gradients, (3, 1, 1, 1))
    case = [kl.LayerStatistics(a, g)]
    assert max(distances(case, ONE_PRODUCT[name](case))) <= EXACT


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_one_more_example_is_too_many(dtype):
    layers = random_layers(np.random.default_rng(0), 3, 1, [(3, 4), (2, 3)], dtype=dtype)
    for n, approximations in ((2, ONE_PRODUCT), (3, {"two": two_terms, "corrected": kl.kfac_corrected})):
        case = first(layers, n)
        for name, build in approximations.items():
            assert (min(distances(case, build(case))) > INEXACT) is not (name == "corrected" and n == 2)


@pytest.mark.parametrize("name", ONE_PRODUCT)
def test_one_example_with_shared_weights_is_not_exact(name):
    case = random_layers(np.random.default_rng(0), 1, 1, [(3, 4), (2, 3)], 3)
    assert min(distances(case, ONE_PRODUCT[name](case))) > INEXACT


# Parts of a block


def unit_vectors(rng, n, d):
    return np.eye(d)[rng.integers(d, size=n)]


@given(sizes, sizes, st.integers(1, 6), st.integers(1, 3), seeds)
def test_one_input_and_one_output_for_each_example(d_out, d_in, n, K, seed):
    """F_l is diagonal, and no product: EK-FAC, the mini-blocks and the diagonal have all of it."""
    rng = np.random.default_rng(seed)
    a = unit_vectors(rng, n, d_in) * rng.standard_normal((n, 1))
    g = unit_vectors(rng, n, d_out)[:, None] * rng.standard_normal((n, K, 1))
    layers = [kl.LayerStatistics(a, g)]
    for build in (kl.ekfac, kl.mini_block_fisher, kl.diagonal_fisher):
        assert distance(build(layers).to_dense(), fisher_by_definition(layers)) <= EXACT


@given(sizes, sizes, st.integers(1, 6), dtypes, seeds)
def test_ekfac_in_other_coordinates(d_out, d_in, n, dtype, seed):
    """The same, rotated; of equal eigenvalues the eigenvectors are a choice, which is not theirs."""
    rng = np.random.default_rng(seed)
    rotations = [np.linalg.qr(random_matrix(rng, d, d, dtype == "complex128"))[0] for d in (d_in, d_out)]
    a, g = (unit_vectors(rng, n, len(Q)) * rng.uniform(0.5, 2, (n, 1)) @ Q for Q in rotations)
    layers = [kl.LayerStatistics(a, g)]
    for factor in kl.kfac(layers).blocks[0].factors:
        w = factor.eigvalsh()
        assume((np.diff(w[w > 1e-12 * w[-1]]) > 1e-2 * w[-1]).all())
    assert max(distances(layers, kl.ekfac(layers))) <= SEARCHED


@given(any_layers(), seeds)
def test_mini_blocks_of_rows_that_do_not_meet(layers, seed):
    """One output for each example, or one output at all."""
    rng = np.random.default_rng(seed)
    for layer in layers:
        rows = unit_vectors(rng, layer.n, layer.d_out)[:, None, None, :]
        narrow = kl.LayerStatistics(layer.inputs, layer.output_gradients[..., :1])
        for case in (kl.LayerStatistics(layer.inputs, layer.output_gradients * rows), narrow):
            assert distance(kl.mini_block_fisher([case]).to_dense(), fisher_by_definition([case])) <= EXACT


@given(problems(("perceptron", "sequence"), ("mse",)))
def test_output_layer_with_squared_error(problem):
    """F_l = c I ⊗ A: the mini-blocks and EK-FAC have all of it, FOOF up to c; over positions c = S."""
    layers = collect(*problem)[0]
    wanted = diagonal_blocks(truth(*problem).fisher, layers)[-1]
    for build in (kl.mini_block_fisher, kl.ekfac):
        assert distance(build(layers[-1:]).to_dense(), wanted) <= EXACT
    assert distance(layers[-1].S * kl.foof(layers[-1:]).to_dense(), wanted) <= EXACT


@given(sizes, sizes, dtypes, seeds)
def test_shampoo_on_one_gradient_of_rank_one(d_out, d_in, dtype, seed):
    layers = random_layers(np.random.default_rng(seed), 1, 1, [(d_out, d_in)], dtype=dtype)
    assert max(distances(layers, kl.shampoo(layers))) <= SEARCHED


def test_neighbours_that_are_not_exact():
    """More than one output, a hidden layer, two columns."""
    layers = collect(*problem(MLP((4, 3, 3), "tanh"), n=6))[0]
    for build in (kl.mini_block_fisher, kl.foof, kl.ekfac, kl.diagonal_fisher):
        assert distance(build(layers[:1]).to_dense(), fisher_by_definition(layers[:1])) > INEXACT
    columns = random_layers(np.random.default_rng(0), 1, 2, [(3, 2)])
    assert distances(columns, kl.shampoo(columns))[0] > INEXACT
