"""Laws and errors of `collect`: the gradient, the three Fisher matrices, the reference nets."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources._losses import LOSSES
from kronlin.sources.numpy_mlp import MLP, collect

DATA = Path(__file__).parents[1] / "data"
LOSS = pytest.mark.parametrize("loss", sorted(LOSSES))


@st.composite
def problems(draw, activations=("tanh", "relu", "identity")):
    """A small network off its start, with inputs and labels; the loss is chosen by the test."""
    widths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    chosen = draw(st.lists(st.sampled_from(activations), min_size=len(widths) - 1, max_size=len(widths) - 1))
    net = MLP(widths, activation=chosen, bias=draw(st.booleans()))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.standard_normal((draw(st.integers(1, 4)), widths[0]))
    net = net.with_parameters(rng.standard_normal(net.parameters.shape))
    # A difference quotient across the kink of relu is no derivative.
    assume(all(abs(trace.preactivation).min() > 1e-3 for trace in net.forward(x)))
    return net, x, rng


def labels_for(loss, net, x, rng):
    return LOSSES[loss].sample(rng.standard_normal(net(x).shape), rng)


def columns(layers):
    """The root of the Fisher matrix by its definition, (n, K, p), one outer product at a time."""
    n, K = layers[0].n, layers[0].K
    parts = [
        [[np.outer(lay.output_gradients[i, 0, k], lay.inputs[i, 0]).ravel() for lay in layers] for k in range(K)]
        for i in range(n)
    ]
    return np.asarray([[np.concatenate(part) for part in row] for row in parts])


def fisher_matrix(layers):
    U = columns(layers)
    return np.einsum("nkp,nkq->pq", U, U) / len(U)


def jacobian(net, x, step=1e-6):
    """`∂f_i/∂θ` by difference quotients, (n, D, p)."""
    shifts = step * np.eye(len(net.parameters))
    ahead, behind = ([net.with_parameters(net.parameters + sign * shift)(x) for shift in shifts] for sign in (1, -1))
    return np.stack([(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)], axis=-1)


@pytest.mark.parametrize("name", ["mlp_tanh_mse_bias", "deep_linear_mse_bias"])
def test_reference_nets(name):
    ref = np.load(DATA / f"{name}.npz", allow_pickle=False)
    L = int(ref["n_layers"])
    weights = [ref[f"l{j}_W"] for j in range(L)]
    widths = [weights[0].shape[1] - 1, *(len(W) for W in weights)]
    net = MLP(widths, activation="tanh" if "tanh" in name else "identity")
    net = net.with_parameters(np.concatenate([W.ravel() for W in weights]))
    near = {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(net(ref["X"]), ref["f"], **near)
    np.testing.assert_allclose(LOSSES["mse"].root(ref["f"]), ref["loss_sqrt"], **near)
    for kind, fisher in (("type-2", "F"), ("empirical", "Femp")):
        layers, gradient, loss = collect(net, "mse", ref["X"], ref["y"], fisher=kind)
        assert [layer.name for layer in layers] == [f"linear{j}" for j in range(L)]
        for j, layer in enumerate(layers):
            expected = ref[f"l{j}_g2"] if kind == "type-2" else ref[f"l{j}_ge"][:, :, None, :]
            np.testing.assert_allclose(layer.inputs, ref[f"l{j}_a"], **near)
            np.testing.assert_allclose(layer.output_gradients, expected, **near)
        np.testing.assert_allclose(gradient, ref["grad"], **near)
        np.testing.assert_allclose(loss, ((ref["f"] - ref["y"]) ** 2).sum() / 2 / int(ref["n"]), **near)
        np.testing.assert_allclose(fisher_matrix(layers), ref[fisher], **near)


@LOSS
@given(problem=problems())
def test_gradient_is_the_difference_quotient_of_the_loss(loss, problem):
    net, x, rng = problem
    y, step = labels_for(loss, net, x, rng), 1e-6
    _, gradient, _ = collect(net, loss, x, y)

    def risk(parameters):
        return collect(net.with_parameters(parameters), loss, x, y)[2]

    shifts = step * np.eye(len(gradient))
    quotient = [(risk(net.parameters + s) - risk(net.parameters - s)) / (2 * step) for s in shifts]
    scale = max(1, abs(gradient).max(), risk(net.parameters))
    np.testing.assert_allclose(gradient, quotient, atol=3e-8 * scale)


@LOSS
@given(problem=problems())
def test_type_2_is_the_gauss_newton_matrix(loss, problem):
    net, x, rng = problem
    layers, _, _ = collect(net, loss, x, labels_for(loss, net, x, rng))
    J, root = jacobian(net, x), LOSSES[loss].root(net(x))
    expected = np.einsum("ndp,ndk,nek,neq->pq", J, root, root, J) / len(x)
    np.testing.assert_allclose(fisher_matrix(layers), expected, atol=1e-7 * max(1, abs(J).max() ** 2))


@pytest.mark.parametrize("loss", ["softmax", "bernoulli"])
@given(problem=problems())
def test_type_2_is_the_mean_of_empirical_ones_over_all_labels(loss, problem):
    net, x, rng = problem
    f, head = net(x), LOSSES[loss]
    D = f.shape[1]
    if loss == "softmax":
        labels = [np.full(len(x), c) for c in range(D)]
    else:
        labels = [np.tile(np.asarray(bits, float), (len(x), 1)) for bits in itertools.product([0, 1], repeat=D)]
    expected = 0
    for y in labels:
        U = columns(collect(net, loss, x, y, fisher="empirical")[0])
        expected = expected + np.einsum("n,nkp,nkq->pq", np.exp(-head.value(f, y)), U, U) / len(x)
    actual = fisher_matrix(collect(net, loss, x, labels_for(loss, net, x, rng))[0])
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-11 * max(1, abs(expected).max()))


@LOSS
@given(problem=problems())
def test_mean_of_the_empirical_columns_is_the_gradient(loss, problem):
    net, x, rng = problem
    layers, gradient, _ = collect(net, loss, x, labels_for(loss, net, x, rng), fisher="empirical")
    assert {layer.K for layer in layers} == {1}
    scale = max(1, abs(gradient).max())
    np.testing.assert_allclose(columns(layers)[:, 0].mean(axis=0), gradient, rtol=1e-12, atol=1e-13 * scale)


@LOSS
def test_mc_is_type_2_up_to_the_error_of_the_sample(loss):
    samples = 20_000
    rng = np.random.default_rng(4)
    net, x = MLP((3, 2, 2), seed=4), rng.standard_normal((2, 3))
    y = labels_for(loss, net, x, rng)
    exact = fisher_matrix(collect(net, loss, x, y)[0])
    layers, _, _ = collect(net, loss, x, y, fisher="mc", seed=8, samples=samples)
    assert {layer.K for layer in layers} == {samples}
    U = columns(layers) * np.sqrt(samples)
    products = np.einsum("nkp,nkq->kpq", U, U) / len(x)  # independent estimates of F, one for each k
    error = abs(products.mean(axis=0) - exact)
    assert (error <= 5 * products.std(axis=0) / np.sqrt(samples) + 1e-15).all()
    assert error.max() > 0


def test_mc_follows_its_seed():
    net, x, y = MLP((4, 3)), np.ones((5, 4)), np.zeros(5, int)
    first, second, other = (collect(net, "softmax", x, y, "mc", seed)[0][0].output_gradients for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("fisher", ["type-2", "mc"])
def test_the_given_labels_do_not_enter_the_fisher_matrix(fisher):
    net, x = MLP((4, 5, 3)), np.random.default_rng(0).standard_normal((6, 4))
    one, two = (collect(net, "softmax", x, np.full(6, c), fisher)[0] for c in (0, 2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.output_gradients, b.output_gradients)


@LOSS
@pytest.mark.parametrize("fisher", ["type-2", "mc", "empirical"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_shapes_and_dtypes(loss, fisher, dtype, bias):
    rng = np.random.default_rng(0)
    net, x = MLP((4, 5, 3), bias=bias, dtype=dtype), rng.standard_normal((6, 4)).astype(dtype)
    y = LOSSES[loss].sample(net(x), rng)
    layers, gradient, risk = collect(net, loss, x, y, fisher, samples=2 if fisher == "mc" else 1)
    K = {"type-2": 3, "mc": 2, "empirical": 1}[fisher]
    assert [(lay.n, lay.S, lay.K, lay.d_out, lay.d_in) for lay in layers] == [
        (6, 1, K, 5, 4 + bias),
        (6, 1, K, 3, 5 + bias),
    ]
    assert all(isinstance(layer, LayerStatistics) and layer.dtype == dtype for layer in layers)
    assert gradient.dtype == dtype
    assert gradient.shape == net.parameters.shape
    assert isinstance(risk, float)
    if bias:
        assert all((layer.inputs[..., -1] == 1).all() for layer in layers)


def test_float32_agrees_with_float64():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 4)), rng.integers(0, 3, 6)
    single = collect(MLP((4, 5, 3), dtype="float32"), "softmax", x.astype(np.float32), y)
    double = collect(MLP((4, 5, 3)), "softmax", x, y)
    np.testing.assert_allclose(single[1], double[1], atol=1e-6)
    np.testing.assert_allclose(fisher_matrix(single[0]), fisher_matrix(double[0]), atol=1e-6)


def test_inputs_are_left_alone():
    net, x, y = MLP((4, 5, 3)), np.ones((6, 4)), np.ones((6, 3))
    for array in (x, y):
        array.setflags(write=False)
    for fisher in ("type-2", "mc", "empirical"):
        collect(net, "mse", x, y, fisher)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fisher": "type2"}, "unknown fisher 'type2': choose one of 'type-2', 'mc', 'empirical'"),
        ({"loss": "ce"}, "unknown loss 'ce'"),
        ({"samples": 0, "fisher": "mc"}, "samples = 0: at least one"),
        ({"samples": 2}, "samples = 2 has no meaning for fisher='type-2'"),
        ({"x": np.ones((0, 4)), "y": np.zeros(0, int)}, "n = 0"),
        ({"x": np.ones((5, 3))}, r"x has shape \(5, 3\), the network needs \(n, 4\)"),
        ({"x": np.full((5, 4), np.nan)}, "x holds NaN or Inf"),
        ({"x": np.ones((5, 4), np.float32)}, "x has dtype float32"),
        ({"y": np.full(5, 3)}, "labels from 3 to 3 for 3 classes"),
        ({"y": np.zeros(4, int)}, "4 labels for 5 examples"),
        ({"loss": "mse", "y": np.full((5, 3), np.nan)}, "'mse' got labels with NaN or Inf"),
    ],
)
def test_arguments_that_do_not_fit(change, message):
    arguments = {"loss": "softmax", "x": np.ones((5, 4)), "y": np.zeros(5, int), "fisher": "type-2"}
    with pytest.raises(ValueError, match=message):
        collect(MLP((4, 3)), **(arguments | change))


def test_an_overflow_is_reported_and_not_returned():
    net = MLP((4, 3)).with_parameters(np.full(15, 1e200))
    with pytest.raises(
        ValueError, match=r"the network overflows: .* inputs up to 1e\+200 and parameters up to 1e\+200"
    ):
        collect(net, "mse", np.full((5, 4), 1e200), np.ones((5, 3)))
