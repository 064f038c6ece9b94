"""Laws of `collect` where weights are shared: every array against Jacobians by complex steps."""

import itertools
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given

from kronlin.sources._losses import LOSSES
from kronlin.sources.numpy_mlp import Conv2d, Flatten, Linear, Permute, Reduce, Sequential, collect
from tests.complex_step import truth
from tests.nets import close, fisher_by_definition, reference, root_by_definition
from tests.networks import problem, problems

SHARED = Sequential((2, 3), [Linear(2, activation="tanh"), Linear(2)])
MIXED = Sequential((2, 4, 3), [Conv2d(2, 2, activation="tanh"), Flatten(), Linear(3)])


@given(problems())
def test_type_2_is_the_gauss_newton_matrix(problem):
    expected = truth(*problem)
    layers, gradient, risk = collect(*problem)
    close(fisher_by_definition(layers), expected.fisher)
    close(gradient, expected.columns.mean(axis=0))
    assert risk == pytest.approx(expected.risk, rel=1e-12)
    D = expected.H.shape[1]
    for layer, a, Z in zip(layers, expected.inputs, expected.Z, strict=True):
        close(layer.inputs, a)
        assert (layer.S, layer.K, layer.d_out) == (a.shape[1], D, Z.shape[-1])


@given(problems())
def test_the_empirical_columns_are_the_gradients_of_the_examples(problem):
    """Of the whole loss of an example: the positions of its output are summed before anything is squared."""
    layers, _, _ = collect(*problem, fisher="empirical")
    assert {layer.K for layer in layers} == {1}
    columns = np.concatenate([root_by_definition(layer) for layer in layers])
    close(columns.T, truth(*problem).columns)


def test_the_reference_net_with_shared_weights():
    ref = reference("seq_linear_meanreduce_mse")
    net = Sequential((5, 4), [Linear(3), Linear(3), Linear(2), Reduce("mean", axis=0)])
    net = net.with_parameters(np.concatenate([ref[f"l{j}_W"].ravel() for j in range(3)]))
    close(net(ref["X"]), ref["f"])
    for kind, g, fisher in (("type-2", "g2", "F"), ("empirical", "ge", "Femp")):
        layers, gradient, _ = collect(net, "mse", ref["X"], ref["y"], fisher=kind)
        for j, layer in enumerate(layers):
            close(layer.inputs, ref[f"l{j}_a"])
            close(layer.output_gradients, ref[f"l{j}_{g}"].reshape(layer.output_gradients.shape))
        close(gradient, ref["grad"])
        close(fisher_by_definition(layers), ref[fisher])


@pytest.mark.parametrize("loss", ["softmax", "bernoulli"])
def test_type_2_is_the_mean_of_empirical_ones_over_all_labels(loss):
    """Labels of all positions at once, each set weighted by its probability: the positions are independent."""
    net, _, x, y = problem(SHARED, loss, n=1)
    f, expected = net(x), 0
    for labels in itertools.product([0, 1], repeat=y.size):
        y = np.asarray(labels, y.dtype).reshape(y.shape)
        layers, _, risk = collect(net, loss, x, y, fisher="empirical")
        expected = expected + np.exp(-risk) * fisher_by_definition(layers)
    assert f.shape == (1, 2, 2)
    close(fisher_by_definition(collect(net, loss, x, y)[0]), expected)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("net", [SHARED, MIXED], ids=["sequence", "convolution"])
def test_mc_is_type_2_up_to_the_error_of_the_sample(net, loss):
    samples, given = 10_000, problem(net, loss, n=2, seed=4)
    exact = fisher_by_definition(collect(*given)[0])
    layers, _, _ = collect(*given, fisher="mc", seed=8, samples=samples)
    assert {layer.K for layer in layers} == {samples}
    parts = [np.einsum("nsko,nsi->nkoi", layer.output_gradients, layer.inputs) for layer in layers]
    U = np.concatenate([part.reshape(2, samples, -1) for part in parts], axis=-1) * np.sqrt(samples)
    mean, square = np.einsum("nkp,nkq->pq", U, U), np.zeros_like(exact)
    for k in range(samples):  # one estimate of F a sample, from which the error of their mean is told
        square += (U[:, k].T @ U[:, k] / 2) ** 2
    mean = mean / (2 * samples)
    error = abs(mean - exact)
    assert (error <= 5 * np.sqrt((square / samples - mean**2).clip(0) / samples) + 1e-14).all()
    assert error.max() > 0


def test_names_and_shapes():
    net = Sequential((1, 4, 4), [Conv2d(2, 3, padding=1, activation="relu"), Permute((1, 2, 0)), Linear(3)])
    layers, _, _ = collect(*problem(net, "softmax", n=5))
    assert [layer.name for layer in layers] == ["conv2d0", "linear1"]
    assert [(lay.n, lay.S, lay.K, lay.d_out, lay.d_in) for lay in layers] == [(5, 16, 48, 2, 10), (5, 16, 48, 3, 3)]
    assert all((layer.inputs[..., -1] == 1).all() for layer in layers)


@pytest.mark.parametrize("fisher", ["type-2", "mc", "empirical"])
def test_float32_agrees_with_float64_and_inputs_are_left_alone(fisher):
    net, loss, x, y = problem(MIXED, "softmax")
    x.setflags(write=False)
    y.setflags(write=False)
    single = Sequential(net.shape, net.parts, dtype="float32").with_parameters(net.parameters.astype("float32"))
    found, gradient, _ = collect(single, loss, x.astype("float32"), y, fisher, seed=1)
    expected = collect(net, loss, x, y, fisher, seed=1)[0]
    assert gradient.dtype == found[0].dtype == np.float32
    for one, other in zip(found, expected, strict=True):
        close(one.inputs, other.inputs, 1e-6)
        close(one.output_gradients, other.output_gradients, 1e-5)


@pytest.mark.skipif(find_spec("torch") is None, reason="compares with PyTorch")
@pytest.mark.parametrize("loss", ["mse", "softmax"])
def test_the_same_as_automatic_differentiation(loss):
    """A convolution, a mean over its pixels and a layer, by `torch.func`."""
    import torch
    from torch.nn import functional

    net = Sequential((2, 5, 4), [Conv2d(3, (3, 2), (2, 1), 1, activation="tanh"), Reduce("mean", (1, 2)), Linear(2)])
    net, loss, x, y = problem(net, loss)
    theta, images = torch.from_numpy(net.parameters), torch.from_numpy(x)

    def outputs(theta):
        first, second = theta[:39].reshape(3, 13), theta[39:].reshape(2, 4)
        h = functional.conv2d(images, first[:, :12].reshape(3, 2, 3, 2), first[:, 12], stride=(2, 1), padding=1)
        return torch.tanh(h).mean(dim=(2, 3)) @ second[:, :3].T + second[:, 3]

    def risk(theta):
        f, labels = outputs(theta), torch.from_numpy(y)
        return functional.cross_entropy(f, labels) if loss == "softmax" else ((f - labels) ** 2).sum() / (2 * len(y))

    J = torch.func.jacrev(outputs)(theta).numpy()
    p = torch.softmax(outputs(theta), dim=1).numpy()
    H = np.stack([np.diag(row) - np.outer(row, row) if loss == "softmax" else np.eye(2) for row in p])
    layers, gradient, value = collect(net, loss, x, y)
    close(net(x), outputs(theta).numpy())
    close(gradient, torch.func.grad(risk)(theta).numpy())
    close(fisher_by_definition(layers), np.einsum("nap,nab,nbq->pq", J, H, J) / len(x))
    assert value == pytest.approx(float(risk(theta)), rel=1e-13)
