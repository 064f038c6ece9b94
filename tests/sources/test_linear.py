"""The linear layer as it is written; what the layer does is tested with `Layer`."""

import numpy as np
import pytest

from kronlin.sources._activations import ReLU
from kronlin.sources._layer import Layer
from kronlin.sources._linear import Linear


def test_a_layer_for_the_last_axis():
    (layer,) = Linear(300, activation="relu").build((7, 400), np.random.default_rng(0), np.float32)
    assert type(layer) is Layer
    assert layer.name == "linear"
    assert layer.weight.shape == (300, 401)
    assert layer.weight.dtype == np.float32
    assert isinstance(layer.activation, ReLU)
    np.testing.assert_array_equal(layer.weight[:, -1], 0)
    np.testing.assert_allclose(layer.weight[:, :-1].var(), 2 / 400, rtol=0.02)
    assert Linear(2, bias=False).build((3,), np.random.default_rng(0), float)[0].weight.shape == (2, 3)


def test_what_makes_no_layer():
    with pytest.raises(ValueError, match="outputs = 0: a layer has at least one"):
        Linear(0)
    with pytest.raises(ValueError, match="unknown activation 'sine'"):
        Linear(2, activation="sine")
    with pytest.raises(ValueError, match="an example is a single number here"):
        Linear(2).build((), np.random.default_rng(0), float)
