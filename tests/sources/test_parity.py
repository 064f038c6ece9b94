"""One net in NumPy, PyTorch and JAX: the same layers, gradient, Fisher products and preconditioned steps."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

import kronlin as kl
from kronlin.arrays import optional_import, to_numpy
from kronlin.sources import jax, numpy_mlp, pytorch
from kronlin.sources.numpy_mlp import MLP, Conv2d, Flatten, Linear, Sequential
from tests.networks import problem

NETS = {
    "perceptron": MLP((3, 4, 2)),
    "sequence": Sequential((2, 3), [Linear(2, activation="tanh"), Linear(3)]),
    "convolution": Sequential((1, 3, 3), [Conv2d(2, (2, 2), activation="tanh"), Flatten(), Linear(2)]),
}
LEVELS = {
    "one level": {},
    "two levels": {"scheme": "BNN", "coarse_space": kl.coarse.nicolaides},
    "factors damped": {"damp": kl.factored_damping, "scheme": "AD", "coarse_space": partial(kl.coarse.spectral, k=1)},
}


def matrices(net):
    """(name, W, b) of each layer, a kernel (out, in, height, width) for a convolution."""
    for layer in net.layers:
        W, b = layer.weight[:, :-1].copy(), layer.weight[:, -1].copy()
        yield layer.name, W.reshape(2, 1, 2, 2) if layer.name == "conv2d" else W, b


def in_torch(net, loss, x, y):
    """The model of PyTorch, its loss, inputs and labels."""
    torch = optional_import("torch", extra="torch")
    nn, modules = torch.nn, []
    for name, W, b in matrices(net):
        module = nn.Conv2d(1, 2, 2) if name == "conv2d" else nn.Linear(W.shape[1], W.shape[0])
        module.double().load_state_dict({"weight": torch.as_tensor(W), "bias": torch.as_tensor(b)})
        modules += [module, nn.Tanh()]
        if name == "conv2d":
            modules.append(nn.Flatten())
    return nn.Sequential(*modules[:-1]), loss, torch.as_tensor(x), torch.as_tensor(y)


def in_jax(net, loss, x, y):
    """The function and parameters of JAX, its loss, inputs and labels."""
    top = optional_import("jax", extra="jax")
    top.config.update("jax_enable_x64", True)
    jnp = top.numpy

    def layer(W, b, x):
        if W.ndim == 2:
            return x @ W.T + b
        return (top.lax.conv_general_dilated(x, W, (1, 1), "VALID") + b[:, None, None]).reshape(len(x), -1)

    def function(parameters, x):
        *hidden, last = parameters
        for W, b in hidden:
            x = jnp.tanh(layer(W, b, x))
        return layer(*last, x)

    parameters = [(jnp.asarray(W), jnp.asarray(b)) for _, W, b in matrices(net)]
    return (function, parameters), loss, jnp.asarray(x), jnp.asarray(y)


SOURCES = {"torch": (pytorch, in_torch), "jax": (jax, in_jax)}
CASES = [
    *(("torch", name, fisher) for name in NETS for fisher in ("type-2", "empirical")),
    pytest.param("jax", "convolution", "type-2", marks=pytest.mark.slow),
]


def near(found, wanted):
    np.testing.assert_allclose(to_numpy(found), wanted, rtol=1e-10, atol=1e-10 * float(abs(wanted).max()))


@pytest.mark.parametrize(("library", "name", "fisher"), CASES)
def test_the_same_net_gives_the_same(library, name, fisher):
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    source, written = SOURCES[library]
    net, loss, x, y = problem(NETS[name], "softmax", n=5)
    wanted, slope, risk = numpy_mlp.collect(net, loss, x, y, fisher)
    layers, gradient, value = source.collect(*written(net, loss, x, y), fisher)
    assert value == pytest.approx(risk, rel=1e-10)
    near(gradient, slope)
    for layer, other in zip(layers, wanted, strict=True):
        near(layer.inputs, other.inputs)
        near(layer.output_gradients, other.output_gradients)
    near(kl.fisher(layers) @ gradient, kl.fisher(wanted) @ slope)
    for options in LEVELS.values():
        steps = []
        for each, g in ((layers, gradient), (wanted, slope)):
            preconditioner = kl.Preconditioner(kl.kfac, 0.1, **options)
            preconditioner.update(each)
            steps.append(preconditioner.apply(g))
        near(*steps)
