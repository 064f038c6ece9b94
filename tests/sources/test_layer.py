"""Laws of one layer."""

import numpy as np
import pytest

from kronlin.sources._activations import ACTIVATIONS
from kronlin.sources._layer import Layer

BIAS = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
ACTIVATION = pytest.mark.parametrize("name", sorted(ACTIVATIONS))


def layer_and_input(bias, name, leading=(6,)):
    rng = np.random.default_rng(3)
    layer = Layer(rng.standard_normal((4, 3 + bias)), bias, ACTIVATIONS[name])
    return layer, rng.standard_normal((*leading, 3)), rng


@BIAS
@ACTIVATION
def test_forward_one_example_at_a_time(bias, name):
    layer, h, _ = layer_and_input(bias, name)
    trace = layer.forward(h)
    W, b = (layer.weight[:, :3], layer.weight[:, 3]) if bias else (layer.weight, 0)
    for i in range(len(h)):
        np.testing.assert_allclose(trace.preactivation[i], W @ h[i] + b, rtol=1e-13)
        np.testing.assert_allclose(layer.weight @ trace.inputs[i], trace.preactivation[i], rtol=1e-13)
    np.testing.assert_array_equal(trace.output, layer.activation.value(trace.preactivation))
    assert trace.inputs.shape == (6, 3 + bias)
    if bias:
        np.testing.assert_array_equal(trace.inputs[:, -1], 1)


@BIAS
@ACTIVATION
def test_backward_is_the_adjoint_of_the_derivative(bias, name):
    layer, h, rng = layer_and_input(bias, name)
    columns, direction, step = rng.standard_normal((6, 2, 4)), rng.standard_normal(h.shape), 1e-6
    trace = layer.forward(h)
    g, back = layer.backward(columns, trace)
    change = layer.forward(h + step * direction).output - layer.forward(h - step * direction).output
    expected = np.einsum("nkd,nd->nk", columns, change / (2 * step))
    np.testing.assert_allclose(np.einsum("nkd,nd->nk", back, direction), expected, rtol=1e-7, atol=1e-8)
    # At the preactivation: φ′ times the column, so that ∂(c · output)/∂W~ = g aᵀ.
    shift = step * rng.standard_normal(layer.weight.shape)
    ahead, behind = (Layer(layer.weight + s * shift, bias, layer.activation).forward(h) for s in (1, -1))
    expected = np.einsum("nkd,nd->nk", columns, (ahead.output - behind.output) / (2 * step))
    np.testing.assert_allclose(
        np.einsum("nkd,de,ne->nk", g, shift / step, trace.inputs), expected, rtol=1e-7, atol=1e-8
    )


@BIAS
def test_a_weight_shared_over_positions_acts_at_each_of_them(bias):
    layer, h, rng = layer_and_input(bias, "tanh", leading=(6, 5))
    columns = rng.standard_normal((6, 2, 5, 4))
    trace = layer.forward(h)
    g, back = layer.backward(columns, trace)
    for s in range(5):
        alone = layer.forward(h[:, s])
        g_alone, back_alone = layer.backward(columns[:, :, s], alone)
        np.testing.assert_allclose(trace.output[:, s], alone.output, rtol=1e-13)
        np.testing.assert_allclose(g[:, :, s], g_alone, rtol=1e-13)
        np.testing.assert_allclose(back[:, :, s], back_alone, rtol=1e-12, atol=1e-14)


def test_the_weight_cannot_be_changed_from_outside():
    weight = np.ones((2, 3))
    layer = Layer(weight, True, ACTIVATIONS["tanh"])
    weight[0, 0] = 7
    assert layer.weight[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        layer.weight[0, 0] = 7
