"""ParameterLayout with a pytree of JAX whose kernels are stored as Flax and Keras do: (in, out) and (rows, columns, in, out)."""

import numpy as np
import pytest

import kronlin as kl

jax = pytest.importorskip("jax")
from jax.flatten_util import ravel_pytree  # noqa: E402


def forward(parameters, shifts, x):
    """A convolution, tanh, a dense layer, half the square; `shifts` are added to the outputs of the layers."""
    conv, dense = parameters["conv"], parameters["dense"]
    z = jax.lax.conv_general_dilated(
        x[None], conv["kernel"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )[0]
    h = jax.numpy.tanh(z + conv["bias"] + shifts["conv"]).reshape(-1)
    f = h @ dense["kernel"] + dense["bias"] + shifts["dense"]
    return (f**2).sum() / 2, h


def test_fisher_in_the_order_of_jax():
    """The empirical Fisher from gradients in the order of `ravel_pytree`, against that of what the layers hand over."""
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    n, x = 3, rng.standard_normal((3, 4, 3, 2))
    shapes = {"conv": {"kernel": (3, 2, 2, 3), "bias": (3,)}, "dense": {"kernel": (12, 2), "bias": (2,)}}
    parameters = jax.tree.map(rng.standard_normal, shapes, is_leaf=lambda leaf: isinstance(leaf, tuple))
    shifts = {"conv": np.zeros((2, 2, 3)), "dense": np.zeros(2)}
    gradient = jax.grad(forward, argnums=(0, 1), has_aux=True)
    (by_parameter, by_shift), h = jax.vmap(gradient, in_axes=(None, None, 0))(parameters, shifts, x)

    patches = [x[:, i : i + 3, j : j + 2].transpose(0, 3, 1, 2).reshape(n, -1) for i in range(2) for j in range(2)]
    a = np.stack([np.c_[patch, np.ones(n)] for patch in patches], axis=1)
    layers = [
        kl.LayerStatistics(a, np.asarray(by_shift["conv"]).reshape(n, 4, 3)),
        kl.LayerStatistics(np.c_[h, np.ones(n)], np.asarray(by_shift["dense"])),
    ]
    leaves = jax.tree_util.tree_leaves_with_path(parameters)
    layout = kl.ParameterLayout(
        {"/".join(key.key for key in path): leaf for path, leaf in leaves},
        [("conv/kernel", "conv/bias"), ("dense/kernel", "dense/bias")],
        order="in-out",
    )
    rows = np.stack([ravel_pytree(jax.tree.map(lambda leaf, i=i: leaf[i], by_parameter))[0] for i in range(n)])
    P = layout.operator(dtype="float64")
    np.testing.assert_allclose((P.H @ kl.fisher(layers) @ P).to_dense(), rows.T @ rows / n, rtol=1e-12, atol=1e-12)
    assert isinstance(layout.arrays(jax.numpy.asarray(rows[0]))["conv/kernel"], jax.Array)
