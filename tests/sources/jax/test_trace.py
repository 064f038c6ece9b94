"""One example through the program of a model: its outputs, inputs of layers, and columns carried back."""

import numpy as np
import pytest

from kronlin.sources import jax as source
from kronlin.sources.jax._trace import _transposed, trace
from tests.nets import close
from tests.sources.jax.nets import jax, jnp, problem


def test_columns_are_carried_back_by_the_adjoint():
    """`⟨c, J v⟩ = ⟨Σ_s g_s a_sᵀ, V⟩` for a direction v of all parameters of the model."""
    given = problem("tied")
    traced = trace(given.model, given.parameters, given.x, "error")
    leaves = jax.tree_util.tree_leaves(given.parameters)
    rng = np.random.default_rng(0)
    columns = jnp.asarray(rng.standard_normal((3, 3)))
    f, (first, second) = jax.jit(lambda x: traced.differentiate(leaves, x, lambda f: [columns[:2], columns[2:]]))(
        given.x[0]
    )
    v = jnp.asarray(rng.standard_normal(given.layout.size))
    direction = source.to_tree(given.layout, v, like=given.parameters)
    wanted, change = jax.jvp(lambda p: given.model(p, given.x[:1])[0], (given.parameters,), (direction,))
    close(np.asarray(f), np.asarray(wanted))
    for pairs, block in ((first, columns[:2]), (second, columns[2:])):
        carried = np.concatenate([np.einsum("sko,si->koi", g, a).reshape(len(block), -1) for a, g in pairs], axis=1)
        close(carried @ np.asarray(v), np.asarray(block @ change))


def test_positions_of_all_uses_in_a_row():
    given = problem("tied")
    layers = {layer.name: layer for layer in given.collect(fisher="empirical")[0]}
    assert {name: layer.S for name, layer in layers.items()} == {
        "a/kernel": 2,
        "b": 2,
        "b1": 1,
        "b2": 1,
        "c": 1,
        "d1": 1,
        "d": 1,
    }
    close(np.asarray(layers["a/kernel"].inputs[:, 0, :3]), np.asarray(given.x))
    assert bool((layers["a/kernel"].inputs[:, :, 3] == 1).all())


def test_a_transpose_is_a_product_at_more_positions():
    rng = np.random.default_rng(0)
    a, g = rng.standard_normal((2, 3)), rng.standard_normal((2, 4, 5))
    b, h = _transposed(jnp.asarray(a), jnp.asarray(g))
    assert (b.shape, h.shape) == ((8, 5), (8, 4, 3))
    close(np.einsum("sko,si->kio", h, b), np.einsum("sko,si->koi", g, a))


def test_inputs_may_be_in_containers():
    def model(p, x):
        return x["left"] @ p["W"] + jnp.where(x["mask"], 1.0, 0.0)[:, None]

    x = {"left": jnp.ones((2, 3)), "mask": jnp.asarray([True, False])}
    (layer,), _, risk = source.collect((model, {"W": jnp.ones((3, 1))}), "mse", x, jnp.zeros((2, 1)))
    assert (layer.n, layer.d_in, layer.d_out) == (2, 3, 1)
    assert risk == pytest.approx((16 + 9) / 4)


@pytest.mark.parametrize(
    ("model", "got"),
    [
        (lambda p, x: (x @ p["W"], x), "tuple"),
        (lambda p, x: (x @ p["W"]).sum(), r"one of shape \(\)"),
        (lambda p, x: (x @ p["W"]).T, r"one of shape \(2, 1\)"),
    ],
)
def test_the_model_must_return_one_array(model, got):
    with pytest.raises(ValueError, match=rf"must return one array \(n, ...\), .* it returns {got}"):
        trace(model, {"W": jnp.ones((3, 2))}, jnp.ones((4, 3)), "error")
