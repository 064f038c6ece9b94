"""Laws and errors of the network itself; what it hands over is tested with `collect`."""

import dataclasses

import numpy as np
import pytest

from kronlin.sources._activations import ACTIVATIONS
from kronlin.sources._mlp import MLP


def data(n=7, d=4, D=3, dtype=np.float64):
    rng = np.random.default_rng(11)
    return rng.standard_normal((n, d)).astype(dtype), rng.standard_normal((n, D)).astype(dtype)


def names(net):
    return [layer.activation.name for layer in net.layers]


@pytest.mark.parametrize("bias", [True, False])
def test_sizes(bias):
    net = MLP((4, 5, 3), bias=bias)
    assert [layer.weight.shape for layer in net.layers] == [(5, 4 + bias), (3, 5 + bias)]
    assert net.parameters.shape == (5 * (4 + bias) + 3 * (5 + bias),)
    assert net(data()[0]).shape == (7, 3)


def test_parameters_are_the_layers_in_order_row_by_row_with_the_bias_last():
    x, _ = data()
    net = MLP((4, 5, 3)).with_parameters(np.arange(5 * 5 + 3 * 6, dtype=float) / 50)
    first, second = (np.arange(25).reshape(5, 5) / 50, np.arange(25, 43).reshape(3, 6) / 50)
    expected = np.tanh(x @ first[:, :4].T + first[:, 4]) @ second[:, :5].T + second[:, 5]
    np.testing.assert_allclose(net(x), expected, rtol=1e-13)
    np.testing.assert_array_equal(net.parameters, np.arange(43) / 50)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("relu", ["relu", "relu", "identity"]),
        (ACTIVATIONS["relu"], ["relu", "relu", "identity"]),
        (["tanh", "relu"], ["tanh", "relu", "identity"]),
        (["tanh", ACTIVATIONS["relu"], "tanh"], ["tanh", "relu", "tanh"]),
    ],
)
def test_activations_per_net_or_per_layer(given, expected):
    assert names(MLP((4, 5, 4, 3), activation=given)) == expected


def test_the_seed_fixes_the_weights():
    first = MLP((4, 5, 3), seed=1).parameters
    np.testing.assert_array_equal(first, MLP((4, 5, 3), seed=1).parameters)
    assert not np.allclose(first, MLP((4, 5, 3), seed=2).parameters)
    np.testing.assert_array_equal(MLP((4, 5, 3), seed=1, dtype="float32").parameters, first.astype(np.float32))


def test_weights_start_with_their_variance_and_biases_at_zero():
    weight = MLP((400, 300, 2), activation="relu").layers[0].weight
    np.testing.assert_array_equal(weight[:, -1], 0)
    np.testing.assert_allclose(weight[:, :-1].var(), 2 / 400, rtol=0.02)
    np.testing.assert_allclose(MLP((400, 300, 2)).layers[0].weight[:, :-1].var(), 1 / 400, rtol=0.02)


def test_float32_runs_through():
    x, y = data(dtype=np.float32)
    net = MLP((4, 5, 3), dtype=np.float32)
    traces = net.forward(x)
    risk, output_gradients, gradient = net.differentiate("mse", traces, y)
    assert isinstance(risk, float)
    assert {t.dtype for trace in traces for t in trace} == {np.dtype(np.float32)}
    assert {g.dtype for g in (*output_gradients, gradient)} == {np.dtype(np.float32)}
    assert net.train("mse", x, y, steps=2).parameters.dtype == np.float32


def test_backward_is_the_adjoint_of_the_jacobian():
    x, _ = data()
    rng, step = np.random.default_rng(2), 1e-6
    net = MLP((4, 5, 4, 3), activation=["tanh", "identity", "tanh"])
    direction, columns = rng.standard_normal(net.parameters.shape), rng.standard_normal((7, 2, 3))
    change = sum(s * net.with_parameters(net.parameters + s * step * direction)(x) for s in (1, -1)) / (2 * step)
    traces, V = net.forward(x), net.with_parameters(direction).layers
    output_gradients = net.backward(columns, traces)
    back = sum(
        np.einsum("nkd,de,ne->nk", g, layer.weight, trace.inputs)
        for g, layer, trace in zip(output_gradients, V, traces, strict=True)
    )
    np.testing.assert_allclose(back, np.einsum("nkd,nd->nk", columns, change), rtol=1e-7, atol=1e-8)


def test_it_is_immutable():
    net = MLP((4, 5, 3))
    before = net.parameters
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.widths = (1, 2)
    x, y = data()
    other = net.with_parameters(before + 1)
    trained = net.train("mse", x, y, steps=3)
    before_and_after = net.parameters
    np.testing.assert_array_equal(before_and_after, before)
    np.testing.assert_array_equal(other.parameters, before + 1)
    assert abs(trained.parameters - before).max() > 1e-3
    assert trained.widths == other.widths == net.widths
    net.parameters[0] = 99  # a fresh vector: the network does not notice
    assert net.parameters[0] != 99


def test_repr_does_not_claim_a_seed():
    assert repr(MLP((4, 3), seed=3)) == "MLP(widths=(4, 3), activation='tanh', bias=True, dtype=dtype('float64'))"


def test_training_lowers_the_risk_and_is_deterministic():
    x, y = data()
    net, seen = MLP((4, 5, 3)), []
    trained = net.train("mse", x, y, steps=50, learning_rate=0.05, callback=lambda t, risk: seen.append((t, risk)))
    assert [t for t, _ in seen] == list(range(1, 51))
    assert seen[0][1] == net.differentiate("mse", net.forward(x), y)[0]
    assert seen[-1][1] < 0.5 * seen[0][1]
    again = net.train("mse", x, y, steps=50, learning_rate=0.05)
    np.testing.assert_array_equal(trained.parameters, again.parameters)


def test_training_that_overflows_says_so():
    x, y = data()
    with pytest.raises(ValueError, match=r"diverged: at step 2 of 5 .* learning_rate below 1e\+200"):
        MLP((4, 5, 3)).train("mse", x, y, steps=5, learning_rate=1e200)


@pytest.mark.parametrize("widths", [(), (4,), (4, 0, 3), (4, -1)])
def test_widths_that_make_no_network(widths):
    with pytest.raises(ValueError, match=r"widths = .* an input and an output width are needed"):
        MLP(widths)


@pytest.mark.parametrize("dtype", ["float16", "int64", "complex128"])
def test_dtypes_that_make_no_network(dtype):
    with pytest.raises(ValueError, match=f"dtype = {dtype}: a network computes in float32 or float64"):
        MLP((4, 3), dtype=dtype)


def test_activations_that_do_not_fit():
    with pytest.raises(ValueError, match=r"1 activations for 3 layers: .* 2 for the hidden layers, or 3"):
        MLP((4, 5, 4, 3), activation=["tanh"])
    for widths in ((4, 5, 3), (4, 3)):
        with pytest.raises(ValueError, match="unknown activation 'softmax'"):
            MLP(widths, activation="softmax")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0] * 4], r"x must be a NumPy array of shape \(n, 4\), got list"),
        (np.ones(4), r"x has shape \(4,\), the network needs \(n, 4\)"),
        (np.ones((2, 5)), r"x has shape \(2, 5\), the network needs \(n, 4\)"),
        (np.ones((0, 4)), "n = 0"),
        (
            np.ones((2, 4), np.float32),
            r"x has dtype float32, the network computes in float64.*dtype='float32'",
        ),
        (np.ones((2, 4), int), "x has dtype int64"),
        (np.asarray([[1.0, np.nan, 1.0, 1.0]]), "x holds NaN or Inf"),
        (np.asarray([[1.0, np.inf, 1.0, 1.0]]), "x holds NaN or Inf"),
    ],
)
def test_inputs_that_do_not_fit(x, message):
    with pytest.raises(ValueError, match=message):
        MLP((4, 3)).forward(x)


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        (np.ones(14), r"parameters has shape \(14,\), the network needs \(15,\)"),
        (np.ones(15, np.float32), "parameters has dtype float32"),
        (np.full(15, np.inf), "parameters holds NaN or Inf"),
    ],
)
def test_parameters_that_do_not_fit(vector, message):
    with pytest.raises(ValueError, match=message):
        MLP((4, 3)).with_parameters(vector)
