"""Laws of the forward Laplacian: what the slots hold, and that the way back is their derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.sources._activations import Activation
from kronlin.sources._forward_laplacian import backward_laplacian, forward_laplacian
from kronlin.sources.numpy_mlp import MLP
from tests.nets import close

SMOOTH = ("identity", "sigmoid", "sin", "tanh")


@st.composite
def networks(draw):
    """A small smooth network off its start, with points."""
    widths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    chosen = draw(st.lists(st.sampled_from(SMOOTH), min_size=len(widths) - 1, max_size=len(widths) - 1))
    net = MLP(widths, activation=chosen, bias=draw(st.booleans()))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    net = net.with_parameters(0.7 * rng.standard_normal(net.parameters.shape))
    return net, rng.standard_normal((draw(st.integers(1, 3)), widths[0])), rng


def derivative(net, x, j):
    """∂_j u by a complex step, which is exact to rounding, in a forward pass written out here."""
    h, complex_values = x + 1e-30j * np.eye(x.shape[1])[j], {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "sin": np.sin}
    for layer in net.layers:
        z = h @ layer.weight[:, : h.shape[1]].T + (layer.weight[:, -1] if layer.bias else 0)
        name = layer.activation.name
        h = z if name == "identity" else complex_values.get(name, np.tanh)(z)
    return h.imag / 1e-30


@given(networks())
def test_the_slots_are_the_value_the_derivatives_and_the_laplacian(network):
    net, x, _ = network
    slots = forward_laplacian(net, x)[-1].output
    close(slots[:, 0], net(x), 1e-14)
    step, weights, laplacian = 1e-3, {1: 8 / 12, 2: -1 / 12}, 0
    for j, axis in enumerate(np.eye(x.shape[1])):
        np.testing.assert_allclose(slots[:, 1 + j], derivative(net, x, j), rtol=1e-11, atol=1e-13)
        for k, weight in weights.items():
            ahead, behind = (derivative(net, x + sign * k * step * axis, j) for sign in (1, -1))
            laplacian = laplacian + weight * (ahead - behind) / step
    np.testing.assert_allclose(slots[:, -1], laplacian, atol=1e-8)


@pytest.mark.parametrize("activation", SMOOTH)
def test_of_one_hidden_layer_in_closed_form(activation):
    """u = vᵀ φ(W x + b) + c: ∇u = Wᵀ (φ′ ⊙ v) and Δu = Σ_k v_k φ″_k |w_k|²."""
    rng = np.random.default_rng(0)
    net = MLP((3, 5, 1), activation=activation)
    net = net.with_parameters(rng.standard_normal(net.parameters.shape))
    (W, b), v = np.split(net.layers[0].weight, [3], axis=1), net.layers[1].weight[0, :-1]
    x, phi = rng.standard_normal((4, 3)), net.layers[0].activation
    z = x @ W.T + b.T
    slope, (bend, _) = phi.derivative(z, phi.value(z)), phi.higher_derivatives(z, phi.value(z))
    slots = forward_laplacian(net, x)[-1].output[..., 0]
    np.testing.assert_allclose(slots[:, 1:-1], (slope * v) @ W, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(slots[:, -1], (bend * v) @ (W**2).sum(axis=1), rtol=1e-12, atol=1e-13)


def test_of_a_plane_wave():
    """sin(k·x) has the Laplacian -|k|² sin(k·x)."""
    k = np.array([2.0, -1.0, 0.5])
    wave = MLP((3, 1), activation=["sin"], bias=False).with_parameters(k)
    x = np.random.default_rng(0).standard_normal((6, 3))
    slots = forward_laplacian(wave, x)[-1].output
    np.testing.assert_allclose(slots[:, -1, 0], -(k @ k) * np.sin(x @ k), rtol=1e-13)
    np.testing.assert_allclose(slots[:, 1:-1, 0], np.cos(x @ k)[:, None] * k, rtol=1e-13)


def test_the_bias_is_a_constant():
    net, x = MLP((2, 3, 1)), np.random.default_rng(0).standard_normal((5, 2))
    for trace in forward_laplacian(net, x):
        assert trace.inputs.shape[:2] == (5, 4)
        np.testing.assert_array_equal(trace.inputs[:, 0, -1], 1)
        np.testing.assert_array_equal(trace.inputs[:, 1:, -1], 0)


@given(networks(), st.integers(1, 2))
def test_the_way_back_is_the_derivative_of_the_way_there(network, K):
    """Σ_is g_iks a_isᵀ is the gradient of Σ_is ⟨c_iks, slot s⟩ for every k."""
    net, x, rng = network
    traces = forward_laplacian(net, x)
    c = rng.standard_normal((len(x), K, x.shape[1] + 2, net.widths[-1]))
    gradients = [
        np.einsum("iksd,ise->kde", g, trace.inputs).reshape(K, -1)
        for g, trace in zip(backward_laplacian(net, c, traces), traces, strict=True)
    ]
    step = 1e-6 * np.eye(net.parameters.size)

    def objective(parameters):
        return np.einsum("iksd,isd->k", c, forward_laplacian(net.with_parameters(parameters), x)[-1].output)

    quotient = [(objective(net.parameters + s) - objective(net.parameters - s)) / 2e-6 for s in step]
    found = np.concatenate(gradients, axis=1)
    np.testing.assert_allclose(found, np.stack(quotient, axis=1), atol=1e-7 * max(1, np.abs(found).max()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept_and_nothing_is_written(dtype):
    net, x = MLP((2, 3, 1), activation="sigmoid", dtype=dtype), np.ones((4, 2), dtype)
    c = np.ones((4, 1, 4, 1), dtype)
    for array in (x, c):
        array.setflags(write=False)
    traces = forward_laplacian(net, x)
    before = [[array.copy() for array in trace] for trace in traces]
    assert all(array.dtype == dtype for trace in traces for array in trace)
    assert all(g.dtype == dtype for g in backward_laplacian(net, c, traces))
    for trace, copies in zip(traces, before, strict=True):
        for array, copy in zip(trace, copies, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_single_precision_agrees_with_double():
    x = np.random.default_rng(0).standard_normal((5, 2))
    single = forward_laplacian(MLP((2, 8, 1), dtype="float32"), x.astype("float32"))[-1].output
    close(single, forward_laplacian(MLP((2, 8, 1)), x)[-1].output, 1e-5)


def test_relu_is_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"a Laplacian cannot go through 'relu': φ″ is zero but at the kink.* 'tanh'"):
        forward_laplacian(MLP((2, 3, 1), activation="relu"), np.ones((1, 2)))


def test_an_activation_without_second_derivative_is_refused():
    class Cube(Activation):
        name = "cube"

        def value(self, z):
            return z**3

        def derivative(self, z, value):
            return 3 * z**2

    with pytest.raises(ValueError, match=r"'cube' does not say what φ″ and φ‴ are.*higher_derivatives"):
        forward_laplacian(MLP((2, 3, 1), activation=Cube()), np.ones((1, 2)))


def test_points_are_checked():
    with pytest.raises(ValueError, match=r"x has shape \(4, 3\), the network needs \(n, 2\): rows are points"):
        forward_laplacian(MLP((2, 3, 1)), np.ones((4, 3)))
