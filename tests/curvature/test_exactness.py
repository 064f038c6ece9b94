"""The networks on which K-FAC is the exact Fisher matrix, to 1e-12, and their neighbours on which it is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.curvature import block_diagonal_fisher, kfac
from kronlin.sources._losses import LOSSES
from kronlin.sources.numpy_mlp import MLP, Conv2d, Linear, Reduce, Sequential, collect
from tests.complex_step import truth
from tests.curvature.exactness import EXACT, INEXACT, assert_sampling_error_only, distances, repeated, scaled
from tests.nets import close
from tests.networks import LOSSES as LOSS_NAMES
from tests.networks import problem

HOW = pytest.mark.parametrize("how", ["mean", "sum"])
LOSS = pytest.mark.parametrize("loss", LOSS_NAMES)
seeds = st.integers(0, 2**32 - 1)
sizes = st.lists(st.integers(1, 3), min_size=2, max_size=4)


def deep_linear(sizes, S=5, reduction=None, how="mean", bias=False):
    """Linear layers at S positions, with a reduction after so many of them, or none."""
    parts = [Linear(d, bias) for d in sizes[1:]]
    if reduction is not None:
        parts.insert(reduction, Reduce(how, axis=0))
    return Sequential((S, sizes[0]), parts)


# One example without shared weights: whatever the activations and the loss


@given(
    sizes,
    st.sampled_from(["tanh", "relu", "identity"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(LOSS_NAMES),
    seeds,
)
def test_one_example_or_equal_ones(widths, phi, last, bias, loss, seed):
    """The activation may stand after the last layer too."""
    net = MLP(widths, [phi] * (len(widths) - 2 + last), bias)
    one = problem(net, loss, 1, seed)
    for fisher in ("type-2", "empirical"):
        assert max(distances(one, fisher=fisher)) <= EXACT
        assert max(distances(repeated(one, 3), fisher=fisher)) <= EXACT
    layers = collect(*one, fisher="mc", seed=seed, samples=2)[0]
    close(kfac(layers).to_dense(), block_diagonal_fisher(layers).to_dense())


@LOSS
def test_one_example_with_sampled_labels(loss):
    assert_sampling_error_only(problem(MLP((4, 3, 2), ["tanh", "tanh"]), loss, 1))


@LOSS
def test_two_examples_are_not_exact(loss):
    expected = distances(problem(MLP((4, 3, 3), "tanh"), loss, 2))
    assert expected[0] > INEXACT
    assert loss == "mse" or expected[1] > INEXACT


@pytest.mark.parametrize("loss", ["mse", "softmax"])
def test_a_loss_that_is_a_mean_over_the_outputs(loss):
    """A factor 1/D on the loss is one on the gradient, the Fisher matrix, and K-FAC."""
    one = problem(MLP((4, 3, 2), "tanh"), loss, 1)
    layers, gradient, risk = collect(one.net, scaled(0.5, LOSSES[loss]), one.x, one.y)
    known = truth(*one)
    assert risk == pytest.approx(known.risk / 2, rel=1e-12)
    close(gradient, known.columns[0] / 2)
    close(kfac(layers).to_dense(), kfac(collect(*one)[0]).to_dense() / 2)


# Deep linear networks with squared error, on any data


@given(sizes, st.integers(1, 4), st.booleans(), st.integers(1, 4), seeds)
def test_expand_on_deep_linear_networks_without_a_reduction(sizes, S, bias, n, seed):
    assert max(distances(problem(deep_linear(sizes, S, bias=bias), n=n, seed=seed))) <= EXACT


@pytest.mark.parametrize("S", [1, 5])
def test_expand_on_deep_linear_networks_with_other_labels_and_losses(S):
    case = problem(deep_linear((4, 3, 3, 2), S), n=6)
    assert max(distances(case)) <= EXACT
    assert_sampling_error_only(case, samples=4000)
    assert min(distances(case, fisher="empirical")) > INEXACT
    assert min(distances(problem(deep_linear((4, 3, 3, 2), S), "softmax", 6))) > INEXACT
    assert (min(distances(case, "reduce")) > INEXACT) == (S > 1)


@given(sizes, st.integers(1, 4), st.sampled_from(["mean", "sum"]), st.booleans(), st.integers(1, 4), seeds)
def test_reduce_on_deep_linear_networks_with_a_reduction_at_the_end(sizes, S, how, bias, n, seed):
    case = problem(deep_linear(sizes, S, len(sizes) - 1, how, bias), n=n, seed=seed)
    assert max(distances(case, "reduce")) <= EXACT


@HOW
@pytest.mark.parametrize("sizes", [(4, 2), (4, 3, 3, 2)])
def test_only_reduce_on_deep_linear_networks_with_a_reduction_at_the_end(sizes, how):
    case = problem(deep_linear(sizes, 5, len(sizes) - 1, how), n=6)
    assert max(distances(case, "reduce")) <= EXACT
    assert min(distances(case, "expand")) > INEXACT
    assert min(distances(case, "reduce", fisher="empirical")) > INEXACT
    assert_sampling_error_only(case, "reduce", samples=4000)


@given(sizes, sizes, st.integers(1, 4), st.sampled_from(["mean", "sum"]), st.booleans(), st.integers(1, 4), seeds)
def test_reduce_on_deep_linear_networks_with_a_reduction_midway(before, after, S, how, bias, n, seed):
    case = problem(deep_linear([*before, *after], S, len(before) - 1, how, bias), n=n, seed=seed)
    assert max(distances(case, "reduce")) <= EXACT


@HOW
def test_expand_fails_before_a_reduction_midway(how):
    """After the reduction it is that of reduce; before it the inputs are to blame, the factors G agree up to scale."""
    case = problem(deep_linear((7, 3, 3, 3, 2), 5, 2, how), n=6)
    assert max(distances(case, "reduce")) <= EXACT
    expand = distances(case, "expand")
    assert min(expand[:2]) > INEXACT
    assert max(expand[2:]) <= EXACT
    layers = collect(*case)[0]
    assert [layer.S for layer in layers] == [5, 5, 1, 1]
    for j, (one, other) in enumerate(zip(kfac(layers).blocks, kfac(layers, "reduce").blocks, strict=True)):
        (G, A), (H, B) = ([factor.to_dense() for factor in block.factors] for block in (one, other))
        close(layers[j].S * G, H)
        difference = np.linalg.norm(A / np.trace(A) - B / np.trace(B))
        assert difference > INEXACT if j < 2 else difference <= EXACT


# Convolutions


@HOW
@pytest.mark.parametrize("bias", [True, False])
def test_reduce_on_the_last_convolution_before_a_reduction(bias, how):
    """Padding makes the gradients at the convolutions before it differ from pixel to pixel."""
    parts = [Conv2d(3, 3, padding=1, bias=bias), Conv2d(3, 3, padding=1, bias=bias), Reduce(how, axis=(1, 2))]
    case = problem(Sequential((2, 5, 6), parts), n=8)
    first, last = distances(case, "reduce")
    assert last <= EXACT
    assert first > INEXACT
    assert min(distances(case, "expand")) > INEXACT


small = st.integers(1, 3)


@given(small, small, st.integers(0, 1), st.sampled_from(["mean", "sum"]), st.sampled_from(["tanh", "relu"]), seeds)
def test_reduce_on_the_last_convolution_of_any_network(kernel, stride, padding, how, phi, seed):
    parts = [Conv2d(2, 2, activation=phi), Conv2d(2, kernel, stride, padding), Reduce(how, axis=(1, 2))]
    assert distances(problem(Sequential((1, 4, 5), parts), n=3, seed=seed), "reduce")[1] <= EXACT


@HOW
def test_reduce_on_all_convolutions_that_see_one_pixel(how):
    """The gradients do not know where they are: this is a deep linear network on a sequence of pixels."""
    parts = [Conv2d(3, 1), Conv2d(2, 1), Reduce(how, axis=(1, 2)), Linear(2)]
    case = problem(Sequential((2, 3, 4), parts), n=6)
    assert max(distances(case, "reduce")) <= EXACT
    assert min(distances(case, "expand")[:2]) > INEXACT
