"""The means of preactivations and output gradients of every layer."""

import numpy as np
import pytest
from hypothesis import given

from kronlin.curvature import LayerStatistics
from kronlin.curvature._layer_means import layer_means
from kronlin.sources.numpy_mlp import MLP, collect
from tests.libraries import NUMPY
from tests.matrices import REAL, each_dtype
from tests.nets import close, layer_lists, random_layers


@given(layer_lists(columns=False))
def test_definition(layers):
    """Every z = W~ a is formed, and the mean taken over examples and positions."""
    vector, start = np.random.default_rng(0).standard_normal(sum(layer.parameters for layer in layers)), 0
    for layer, (z, g) in zip(layers, layer_means(layers, vector), strict=True):
        weight = vector[start : start + layer.parameters].reshape(layer.d_out, layer.d_in)
        start += layer.parameters
        each = [weight @ a for example in layer.inputs for a in example]
        np.testing.assert_allclose(z, np.mean(each, axis=0), atol=1e-13)
        np.testing.assert_allclose(g, layer.output_gradients.reshape(-1, layer.d_out).mean(axis=0), atol=1e-13)


def test_preactivations_of_a_net():
    net, x = MLP((3, 4, 2), seed=1), np.random.default_rng(0).standard_normal((5, 3))
    layers, _, _ = collect(net, "mse", x, np.zeros((5, 2)), fisher="empirical")
    for (z, _), trace in zip(layer_means(layers, net.parameters), net.forward(x), strict=True):
        close(z, trace.preactivation.mean(axis=0), 1e-14)


@each_dtype(REAL)
def test_every_library(lib, dtype):
    layers, due = (random_layers(np.random.default_rng(0), 3, 1, [(3, 2)], 2, k, dtype) for k in (lib, NUMPY))
    vector = np.arange(6).astype(dtype)
    [found], [wanted] = layer_means(layers, lib.asarray(vector)), layer_means(due, vector)
    for ours, other in zip(found, wanted, strict=True):
        assert lib.owns(ours)
        assert ours.dtype == layers[0].dtype
        close(lib.numpy(ours), other, 1e-6)


def test_input_is_checked():
    layers = [LayerStatistics(np.ones((2, 3)), np.ones((2, 2)))]
    with pytest.raises(ValueError, match=r'K = 4 columns.*fisher="empirical"'):
        layer_means([LayerStatistics(np.ones((2, 3)), np.ones((2, 4, 2)))], np.ones(6))
    with pytest.raises(ValueError, match=r"parameters have shape \(5,\), but the layers need \(6,\)"):
        layer_means(layers, np.ones(5))
    with pytest.raises(ValueError, match="parameters are numpy float32, the layers numpy float64"):
        layer_means(layers, np.ones(6, "float32"))
    with pytest.raises(ValueError, match="parameters hold NaN or Inf: the last step was too long"):
        layer_means(layers, np.full(6, np.inf))
    with pytest.raises(ValueError, match="layers is empty"):
        layer_means([], np.ones(6))
