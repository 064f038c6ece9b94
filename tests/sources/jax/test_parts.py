"""Parts of the parameter vector: kernels with their biases, vectors, and what is not supported."""

import numpy as np
import pytest

from kronlin.sources import jax as source
from kronlin.sources.jax._trace import trace
from tests.nets import close, fisher_by_definition
from tests.sources.jax.nets import jax, jnp, numbers, problem


def parts(name, unsupported="error"):
    given = problem(name)
    return [
        (part.kernel, part.bias, len(part.products), part.order)
        for part in trace(given.model, given.parameters, given.x, unsupported).parts
    ]


def test_kernels_with_their_biases_in_the_order_of_use():
    assert parts("perceptron") == [
        ("a/kernel", "a/bias", 1, "IO"),
        ("b/kernel", "b/bias", 1, "OI"),
        ("c/kernel", "c/bias", 1, "IO"),
    ]
    assert parts("signals") == [("conv/kernel", "conv/bias", 1, "OIH"), ("last/kernel", "last/bias", 1, "IO")]


def test_a_bias_of_two_partners_is_a_vector():
    assert parts("tied") == [
        ("a/kernel", "a/bias", 2, "IO"),
        ("b", None, 2, "IO"),
        ("b1", None, 0, "O"),
        ("b2", None, 0, "O"),
        ("c", None, 1, "IO"),
        ("d1", None, 0, "O"),
        ("d", None, 1, "IO"),
    ]


def test_vectors_of_normalisations_are_parts():
    assert parts("heads")[:2] == [("scale", None, 0, "O"), ("shift", None, 0, "O")]
    assert parts("heads")[2:] == [("q/kernel", "q/bias", 1, "IOO"), ("out/kernel", "out/bias", 1, "IIO")]


def test_a_table_that_is_a_kernel_too_has_the_order_of_the_kernel():
    assert parts("words") == [("words", None, 2, "OI"), ("places", None, 1, "IO"), ("bias", None, 0, "O")]


def test_groups_are_layers():
    given = problem("images")
    names = [part.names for part in trace(given.model, given.parameters, given.x, "error").parts]
    assert names == [("first/kernel",), ("second/kernel[0]", "second/kernel[1]"), ("last/kernel",)]


def test_what_is_not_supported_is_named_with_the_reason():
    with pytest.raises(ValueError, match="'stack' goes into 'scan'") as error:
        parts("scanned")
    assert "'table' is used with other axes as its outputs in one place than in another" in str(error.value)
    assert "Pass unsupported='columns'" in str(error.value)
    assert parts("scanned", "columns") == [("table", None, 0, "OOO"), ("stack", None, 0, "OOO")]
    with pytest.raises(ValueError, match="no parameters of which a layer could be made"):
        parts("scanned", "omit")


X = jnp.ones((2, 3))


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda p, x: x @ p["W"], "'b' is not used by the model"),
        (lambda p, x: x @ (p["W"] * p["b"]), "'W' meets another parameter in 'mul'"),
        (lambda p, x: (x @ p["W"]) @ p["W"].T[:, :2] + p["b"], "'W' goes into 'slice'"),
    ],
)
def test_reasons(model, reason):
    with pytest.raises(ValueError, match=reason):
        source.layout((model, {"W": jnp.ones((3, 2)), "b": jnp.ones(2)}), X)


def test_a_bias_with_two_axes_and_no_kernel():
    def model(p, x):
        h = jnp.einsum("sd,dhk->shk", x, p["a"])
        return jnp.einsum("shk,hkji->sji", jnp.tanh(h + p["b"]), p["c"]) + p["b"]

    shapes = {"a": (3, 2, 2), "b": (2, 2), "c": (2, 2, 2, 2)}
    parameters = {name: jax.ShapeDtypeStruct(shape, "float32") for name, shape in shapes.items()}
    with pytest.raises(ValueError, match="'b' is a bias with more than one axis that has no kernel of its own"):
        source.layout((model, parameters), X)


def test_omitted_parameters_are_in_no_layer():
    def model(p, x):
        return x @ p["W"] @ jnp.sin(p["V"])

    rng = np.random.default_rng(0)
    parameters = {"V": jnp.asarray(rng.standard_normal((2, 2))), "W": jnp.asarray(rng.standard_normal((3, 2)))}
    x, y = jnp.asarray(rng.standard_normal((2, 3))), jnp.zeros((2, 2))
    layers, gradient, _ = source.collect((model, parameters), "mse", x, y, unsupported="omit")
    both, whole, _ = source.collect((model, parameters), "mse", x, y, unsupported="columns")
    assert [layer.name for layer in layers] == ["W"]
    assert sorted(layer.name for layer in both) == ["V", "W"]
    place = slice(0, 6) if both[0].name == "W" else slice(4, 10)
    close(np.asarray(gradient), np.asarray(whole)[place])
    close(fisher_by_definition(numbers(layers)), fisher_by_definition(numbers(both))[place, place])
