"""Every use of a parameter is found, and a bias is one only where nobody sees the product without it."""

import pytest

from kronlin.sources.jax._products import Product
from kronlin.sources.jax._program import program_of
from kronlin.sources.jax._uses import Other, Shift, uses_of

jax = pytest.importorskip("jax")
jnp, lax = jax.numpy, jax.lax

x, W, V, b = jnp.ones((4, 3)), jnp.ones((3, 2)), jnp.ones((3, 2)), jnp.ones(2)


def uses(function, *parameters):
    """The uses of the parameters in a function of them and x."""
    return uses_of(program_of(lambda *args: function(*args), *parameters, x), len(parameters))


BIASED = {
    "added": lambda W, b, x: x @ W + b,
    "from the left": lambda W, b, x: b + x @ W,
    "as a row": lambda W, b, x: x @ W + b[None],
    "as a column": lambda W, b, x: W.T @ x.T + b[:, None],
    "after a transpose": lambda W, b, x: (x @ W).T + b.reshape(-1, 1),
    "after more": lambda W, b, x: (x @ W)[:, None].astype("bfloat16").astype("float32") + b,
    "to tiles": lambda W, b, x: jnp.broadcast_to((x @ W)[:, None], (4, 5, 2)) + b,
}


@pytest.mark.parametrize("name", BIASED)
def test_a_bias_belongs_to_the_product_it_is_added_to(name):
    (product,), (shift,) = uses(BIASED[name], W, b)
    assert isinstance(product, Product)
    assert isinstance(shift, Shift)
    assert shift.product is product


def test_it_does_with_several_axes():
    function = lambda W, b, x: jnp.einsum("sd,dhk->shk", x, W) + b  # noqa: E731
    assert isinstance(uses(function, jnp.ones((3, 2, 2)), jnp.ones((2, 2)))[1][0], Shift)
    turned = lambda W, b, x: jnp.einsum("sd,dhk->shk", x, W) + b.T  # noqa: E731
    assert isinstance(uses(turned, jnp.ones((3, 2, 2)), jnp.ones((2, 2)))[1][0], Other)


def seen_without(W, b, x):
    z = x @ W
    return (z + b) * z


UNBIASED = {
    "the product is seen without": seen_without,
    "not linear before": lambda W, b, x: jnp.tanh(x @ W) + b,
    "subtracted": lambda W, b, x: x @ W - b,
    "at positions": lambda W, b, x: x[:2] @ W + b[:, None],
    "to no product": lambda W, b, x: (x[:, :2] + b) @ W[:2],
    "the second to be added": lambda W, b, x: (x @ W + 1) + b,
}


@pytest.mark.parametrize("name", UNBIASED)
def test_what_is_no_bias(name):
    (use,) = uses(UNBIASED[name], W, b)[1]
    assert isinstance(use, Other)


REASONS = {
    "goes into 'scan'": lambda W, x: lax.scan(lambda h, _: (h @ W @ jnp.ones((2, 3)), None), x, None, 2)[0],
    "goes into 'sin'": lambda W, x: x @ jnp.sin(W),
    "goes into 'custom_jvp_call'": lambda W, x: x @ jax.nn.relu(W),
    "goes into 'stop_gradient'": lambda W, x: x @ lax.stop_gradient(W),
    "goes into 'slice'": lambda W, x: x[:, :2] @ W[:2],
    "meets another parameter in 'dot_general'": lambda W, x: x @ W @ (W.T @ W),
    "is itself an output": lambda W, x: (x, W.T),
    "is added, but to no product as its bias": lambda W, x: x[:3, :2] + W,
}


@pytest.mark.parametrize("reason", REASONS)
def test_other_uses_are_named(reason):
    found = [use.reason for use in uses(REASONS[reason], W)[0] if isinstance(use, Other)]
    assert reason in found


def test_all_uses_in_their_order():
    def function(W, V, b, x):
        h = x @ W + b
        h = h @ V.T @ W + b
        return h @ jnp.zeros((2, 2)), jnp.sin(W)

    first, second, third = uses(function, W, V, b)
    assert [type(use).__name__ for use in first] == ["MatrixProduct", "MatrixProduct", "Other"]
    assert [type(use).__name__ for use in second] == ["MatrixProduct"]
    assert [use.product for use in third] == list(first[:2])
    places = [use.place for use in (first[0], third[0], second[0], first[1], third[1], first[2])]
    assert places == sorted(places)


def test_no_use_at_all():
    assert uses(lambda W, b, x: x @ W, W, b)[1] == []
