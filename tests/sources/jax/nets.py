"""Models of every kind of layer as pure functions, and the Fisher matrices of JAX itself; needs jax."""

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import pytest

from kronlin.curvature import LayerStatistics
from kronlin.sources import jax as source
from kronlin.sources.jax._names import named_arrays

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp, lax = jax.numpy, jax.lax

N = 3


class Net(NamedTuple):
    """A model with the shapes of its parameters and of one input, a loss, and how unsupported parameters are treated."""

    model: Any
    shapes: dict
    inputs: tuple[int, ...]
    loss: str
    unsupported: str = "error"


def dense(p, x):
    return x @ p["kernel"] + p["bias"]


def perceptron(p, x):
    """Kernels (in, out), one (out, in) that acts from the left, and a bias that starts from another shape."""
    h = jnp.tanh(dense(p["a"], x))
    h = jnp.tanh((p["b"]["kernel"] @ h.T).T + jnp.reshape(p["b"]["bias"], (1, -1)))
    return dense(p["c"], h)


def heads(p, x):
    """Kernels and biases with several output or input axes, as in the attention of Flax; positions; a normalisation."""
    h = (x - x.mean(axis=-1, keepdims=True)) * p["scale"] + p["shift"]
    q = jnp.einsum("nsd,dhk->nshk", h, p["q"]["kernel"]) + p["q"]["bias"]
    w = jax.nn.softmax(jnp.einsum("nshk,nthk->nhst", q, q))
    return jnp.einsum("nhst,nthk,hkd->nsd", w, q, p["out"]["kernel"]) + p["out"]["bias"]


def images(p, x):
    """Convolutions with stride, dilation and groups, under `jit` and `checkpoint`; channels last."""
    conv = partial(lax.conv_general_dilated, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    @jax.checkpoint
    def first(p, x):
        return jnp.tanh(conv(x, p["kernel"], (2, 1), "SAME", rhs_dilation=(1, 2)) + p["bias"].reshape(1, 1, 1, -1))

    @jax.jit
    def second(p, x):
        return jnp.tanh(conv(x, p["kernel"], (1, 1), "VALID", feature_group_count=2) + p["bias"])

    h = second(p["second"], first(p["first"], x))
    return h.reshape(len(h), -1) @ p["last"]["kernel"]


def signals(p, x):
    """Channels first, kernels (out, in, length), written for one example and mapped over the examples."""

    def single(x):
        h = lax.conv_general_dilated(x[None], p["conv"]["kernel"], (1,), [(1, 0)])[0] + p["conv"]["bias"][:, None]
        return jnp.tanh(h).mean(axis=1) @ p["last"]["kernel"] + p["last"]["bias"]

    return jax.vmap(single)(x)


def tied(p, x):
    """A kernel with its bias used twice, a kernel used twice with two biases, one bias for two kernels."""
    h = jnp.tanh(dense(p["a"], jnp.tanh(dense(p["a"], x))))
    h = jnp.tanh(jnp.tanh(h @ p["b"] + p["b1"]) @ p["b"] + p["b2"])
    return jnp.tanh(h @ p["c"] + p["d1"]) @ p["d"] + p["d1"]


def words(p, x):
    """Two embeddings, of positive numbers and others and of places; the first is the weight of the last layer too."""
    h = p["words"][(x > 0).astype(int)] + jnp.take(p["places"], jnp.arange(x.shape[1]), axis=0)
    return jnp.tanh(h) @ p["words"].T + p["bias"]


def scanned(p, x):
    """Weights in a stack for `scan`, and a kernel that is used along its other axes the second time."""
    start = jnp.einsum("ni,iod->nod", x, p["table"]).sum(axis=1)
    h = lax.scan(lambda h, w: (jnp.tanh(h @ w), None), start, p["stack"])[0]
    return jnp.einsum("nd,iod->nio", h, p["table"]).sum(axis=2)


NETS = {
    "perceptron": Net(
        perceptron,
        {
            "a": {"kernel": (3, 4), "bias": (4,)},
            "b": {"kernel": (2, 4), "bias": (2,)},
            "c": {"kernel": (2, 3), "bias": (3,)},
        },
        (3,),
        "softmax",
    ),
    "heads": Net(
        heads,
        {
            "scale": (3,),
            "shift": (3,),
            "q": {"kernel": (3, 2, 2), "bias": (2, 2)},
            "out": {"kernel": (2, 2, 3), "bias": (3,)},
        },
        (2, 3),
        "softmax",
    ),
    "images": Net(
        images,
        {
            "first": {"kernel": (2, 2, 1, 4), "bias": (4,)},
            "second": {"kernel": (1, 2, 2, 2), "bias": (2,)},
            "last": {"kernel": (8, 3)},
        },
        (4, 3, 1),
        "mse",
    ),
    "signals": Net(
        signals,
        {"conv": {"kernel": (3, 2, 2), "bias": (3,)}, "last": {"kernel": (3, 1), "bias": (1,)}},
        (2, 4),
        "bernoulli",
    ),
    "tied": Net(
        tied,
        {
            "a": {"kernel": (3, 3), "bias": (3,)},
            "b": (3, 3),
            "b1": (3,),
            "b2": (3,),
            "c": (3, 3),
            "d": (3, 3),
            "d1": (3,),
        },
        (3,),
        "softmax",
    ),
    "words": Net(words, {"words": (3, 2), "places": (2, 2), "bias": (3,)}, (2,), "softmax"),
    "scanned": Net(scanned, {"stack": (2, 2, 2), "table": (3, 2, 2)}, (3,), "mse", "columns"),
}


class Problem(NamedTuple):
    """What `collect` takes, in its order, and the treatment of unsupported parameters."""

    model: Any
    parameters: Any
    loss: str
    x: Any
    y: Any
    unsupported: str

    def collect(self, **options):
        return source.collect(self[:2], *self[2:5], unsupported=self.unsupported, **options)

    @property
    def layout(self):
        return source.layout(self[:2], self.x, self.unsupported)


@cache
def problem(name: str, loss: str = "") -> Problem:
    """A net with normal parameters and data, for a loss or its own."""
    net, rng = NETS[name], np.random.default_rng(0)
    loss = loss or net.loss
    shaped = jax.tree_util.tree_map(
        lambda shape: jnp.asarray(rng.standard_normal(shape)), net.shapes, is_leaf=lambda t: isinstance(t, tuple)
    )
    x = jnp.asarray(rng.standard_normal((N, *net.inputs)))
    f = jax.eval_shape(net.model, shaped, x)  # run op by op, it would be compiled op by op
    y = rng.standard_normal(f.shape)
    if loss == "softmax":
        y = rng.integers(f.shape[-1], size=f.shape[:-1])
    if loss == "bernoulli":
        y = (y > 0).astype(float)
    return Problem(net.model, shaped, loss, x, jnp.asarray(y), net.unsupported)


def risk_at_outputs(loss, f, y):
    """The mean over the examples, written once more."""
    if loss == "mse":
        return ((f - y) ** 2).sum() / (2 * len(f))
    if loss == "bernoulli":
        return -jax.nn.log_sigmoid((2 * y - 1) * f).sum() / len(f)
    return -jnp.take_along_axis(jax.nn.log_softmax(f), y[..., None], axis=-1).sum() / len(f)


def gauss_newton(given: Problem) -> tuple[np.ndarray, np.ndarray, float]:
    """The generalised Gauss-Newton matrix of the risk, its products by jvp and vjp; the gradient; the risk."""
    layout = given.layout

    def outputs(theta):
        return given.model(source.to_tree(layout, theta, like=given.parameters), given.x)

    @jax.jit
    def derivatives(theta):
        f, change = jax.linearize(outputs, theta)
        back = jax.linear_transpose(change, theta)
        gradient = jax.grad(lambda f: risk_at_outputs(given.loss, f, given.y))

        def product(v):
            return back(jax.jvp(gradient, (f,), (change(v),))[1])[0]

        return jax.vmap(product)(jnp.eye(layout.size)), back(gradient(f))[0], risk_at_outputs(given.loss, f, given.y)

    theta = layout.vector({name: np.asarray(array) for name, array in named_arrays(given.parameters).items()})
    matrix, gradient, risk = derivatives(jnp.asarray(theta))
    return np.asarray(matrix), np.asarray(gradient), float(risk)


def numbers(layers):
    """The layers as arrays of NumPy, for the definitions in `tests.nets`."""
    return [
        LayerStatistics(np.asarray(each.inputs), np.asarray(each.output_gradients), name=each.name) for each in layers
    ]
