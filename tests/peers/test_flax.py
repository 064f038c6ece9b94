"""Models of Flax are read as they are: the Fisher matrices and gradients of `sources.jax` are those of JAX itself.

Last run with Flax 0.12.8 and JAX 0.10.2, where all agree to 1e-12.
"""

import warnings

import numpy as np
import pytest

pytest.importorskip("jax", reason='jax is not installed: pip install "kronlin[jax]"')
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports uses what others call deprecated
    nn = pytest.importorskip("flax.linen", reason="flax (0.12.8 was compared) is not installed: pip install flax")
    nnx = pytest.importorskip("flax.nnx", reason="flax (0.12.8 was compared) is not installed: pip install flax")

from kronlin.sources.jax._names import named_arrays, rebuilt
from tests.nets import close, fisher_by_definition
from tests.sources.jax.nets import Problem, gauss_newton, jax, jnp, numbers

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")]


class Images(nn.Module):
    """Convolutions, one of them in groups, and a normalisation."""

    @nn.compact
    def __call__(self, x):
        x = nn.GroupNorm(2)(nn.relu(nn.Conv(4, (3, 3), strides=2)(x)))
        x = nn.gelu(nn.Conv(4, (2, 2), feature_group_count=2, use_bias=False, padding="VALID")(x))
        return nn.Dense(3)(nn.Dropout(0.5, deterministic=True)(x.reshape(len(x), -1)))


class Words(nn.Module):
    """An embedding and an attention."""

    @nn.compact
    def __call__(self, x):
        x = nn.Embed(5, 4, param_dtype=jnp.float64)((x > 0).astype(int))
        x = x + nn.MultiHeadDotProductAttention(2, qkv_features=4)(nn.LayerNorm()(x))
        return nn.Dense(3)(nn.tanh(nn.Dense(4)(x)).mean(axis=1))


class General(nn.Module):
    """Several axes of outputs and inputs, and a layer that is computed again on the way back."""

    @nn.compact
    def __call__(self, x):
        x = nn.DenseGeneral((2, 2))(nn.tanh(nn.remat(nn.Dense)(4)(x)))
        return nn.DenseGeneral(3, axis=(-2, -1))(nn.sigmoid(x))


LINEN = {
    "images": (Images(), (3, 6, 5, 2), [(4, 19), (4, 1), (4, 1), (2, 8), (2, 8), (3, 17)]),
    "words": (Words(), (3, 3), [(4, 5), (4, 1), (4, 1), (4, 5), (4, 5), (4, 5), (4, 5), (4, 5), (3, 5)]),
    "general": (General(), (3, 3), [(4, 4), (4, 5), (3, 5)]),
}


def agree(given: Problem, sizes) -> None:
    """Hold layers, Fisher matrix, gradient and risk against JAX; `sizes` are (d_out, d_in)."""
    layers, gradient, risk = given.collect()
    assert [(layer.d_out, layer.d_in) for layer in layers] == sizes
    matrix, slope, value = gauss_newton(given)
    close(fisher_by_definition(numbers(layers)), matrix)
    close(np.asarray(gradient), slope)
    assert risk == pytest.approx(value, rel=1e-13)


def with_numbers(parameters):
    """The parameters with normal entries."""
    rng = np.random.default_rng(0)
    normal = {name: jnp.asarray(rng.standard_normal(a.shape)) for name, a in named_arrays(parameters).items()}
    return rebuilt(parameters, normal)


@pytest.mark.parametrize("name", LINEN)
def test_linen(name):
    model, shape, sizes = LINEN[name]
    rng = np.random.default_rng(1)
    x, y = jnp.asarray(rng.standard_normal(shape)), jnp.asarray(rng.integers(3, size=shape[0]))
    parameters = with_numbers(jax.eval_shape(model.init, jax.random.key(0), x))
    agree(Problem(model.apply, parameters, "softmax", x, y, "error"), sizes)


class Module(nnx.Module):
    """A convolution, a normalisation with the statistics of training, and a layer."""

    def __init__(self, rngs):
        self.conv = nnx.Conv(2, 4, (2, 2), rngs=rngs)
        self.norm = nnx.BatchNorm(4, use_running_average=True, rngs=rngs)
        self.last = nnx.Linear(4, 3, rngs=rngs)

    def __call__(self, x):
        return self.last(nnx.relu(self.norm(self.conv(x))).mean(axis=(1, 2)))


def test_nnx():
    graph, parameters, rest = nnx.split(Module(nnx.Rngs(0)), nnx.Param, ...)

    def model(parameters, x):
        return nnx.merge(graph, parameters, rest)(x)

    rng = np.random.default_rng(1)
    x, y = jnp.asarray(rng.standard_normal((3, 3, 4, 2))), jnp.asarray(rng.integers(3, size=3))
    agree(
        Problem(model, with_numbers(parameters), "softmax", x, y, "error"),
        [(4, 9), (4, 1), (4, 1), (3, 5)],
    )
