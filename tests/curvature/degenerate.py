"""Statistics at the edge: one example, dead layers, equal inputs, more columns than examples, layers of one entry."""

import numpy as np

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect
from tests.nets import random_layers

SIZES = [(3, 4), (2, 3), (3, 2)]


def layers_with(n=4, K=2, sizes=SIZES, S=1, inputs=None, gradients=None):
    """Random layers; `inputs` and `gradients` change those of the middle one."""
    layers = random_layers(np.random.default_rng(7), n, K, sizes, S)
    middle = len(layers) // 2
    a, g = layers[middle].inputs, layers[middle].output_gradients
    a, g = a if inputs is None else inputs(a), g if gradients is None else gradients(g)
    layers[middle] = kl.LayerStatistics(a, g)
    return layers


def repeated(layers, times):
    return [
        kl.LayerStatistics(*(np.repeat(x, times, axis=0) for x in (layer.inputs, layer.output_gradients)))
        for layer in layers
    ]


def network(bias, logits=1.0, n=4):
    """A network of ReLUs with this bias in the hidden layer, and with large logits if asked for."""
    net = MLP((3, 4, 3), "relu", seed=0)
    parameters = net.parameters.copy()
    parameters[3:16:4] = bias
    parameters[16:] *= logits
    x = np.random.default_rng(0).uniform(-1, 1, (n, 3))
    return list(collect(net.with_parameters(parameters), "softmax", x, np.arange(n) % 3)[0])


def first_only(x):
    """Nothing in all columns but the first."""
    return x * (np.arange(x.shape[-1]) == 0)


CASES = {
    "one example": layers_with(n=1),
    "one example and one column": layers_with(n=1, K=1),
    "one example at three positions": layers_with(n=1, S=3),
    "more columns than examples": layers_with(n=2, K=7),
    "more positions than parameters": layers_with(n=2, S=15),
    "fewer examples than parameters": layers_with(n=2, K=1),
    "equal examples": repeated(layers_with(n=1), 4),
    "examples three times": repeated(layers_with(n=2), 3),
    "equal inputs": layers_with(inputs=lambda a: 0 * a + 1),
    "equal gradients": layers_with(gradients=lambda g: 0 * g + 1),
    "a dead layer": layers_with(gradients=lambda g: 0 * g),
    "a dead layer with positions": layers_with(S=2, gradients=lambda g: 0 * g),
    "no inputs": layers_with(inputs=lambda a: 0 * a),
    "neither": layers_with(inputs=lambda a: 0 * a, gradients=lambda g: 0 * g),
    "dead units": layers_with(inputs=first_only, gradients=first_only),
    "a dead example": layers_with(gradients=lambda g: g * np.array([1.0, 0.0, 1.0, 1.0])[:, None, None, None]),
    "a dead net": [kl.LayerStatistics(layer.inputs, 0 * layer.output_gradients) for layer in layers_with()],
    "gradients that cancel over the positions": layers_with(
        S=2, inputs=lambda a: a[:, :1] + 0 * a, gradients=lambda g: np.concatenate([g[:, :1], -g[:, :1]], axis=1)
    ),
    "tiny and huge layers": layers_with(gradients=lambda g: 1e-7 * g, inputs=lambda a: 1e3 * a),
    "inputs and outputs of one entry": layers_with(sizes=[(1, 3), (1, 1), (3, 1)]),
    "one layer of one entry": layers_with(n=1, K=1, sizes=[(1, 1)]),
    "a network whose hidden units are dead": network(-9.0),
    "a network that is sure": network(1.0, logits=60.0),
}


def is_narrow(case):
    """A block with a factor of one entry is one product: it has no second term."""
    return any(min(layer.d_out, layer.d_in) == 1 for layer in CASES[case])
