"""A product is `Z = A Wᵀ` at every position, for every way to write it."""

import numpy as np
import pytest

from kronlin.curvature.layerweight import LayerWeight
from kronlin.sources.jax._axes import follow
from kronlin.sources.jax._products import Convolution, Lookup, MatrixProduct, Product, product_of
from kronlin.sources.jax._program import is_literal, program_of

jax = pytest.importorskip("jax")
jnp, lax = jax.numpy, jax.lax


def conv(x, W, numbers, strides=(1, 1), padding="VALID", **options):
    return lax.conv_general_dilated(x, W, strides, padding, dimension_numbers=numbers, **options)


CASES = {
    "in-out": (lambda W, x: x @ W, (3, 2), (4, 3), "IO"),
    "out-in": (lambda W, x: W @ x, (3, 2), (2, 4), "OI"),
    "transposed": (lambda W, x: x @ W.T, (3, 2), (5, 4, 2), "OI"),
    "heads out": (lambda W, x: jnp.einsum("sd,dhk->shk", x, W), (3, 2, 4), (5, 3), "IOO"),
    "heads in": (lambda W, x: jnp.einsum("skh,hkd->sd", x, W), (3, 2, 4), (5, 2, 3), "IIO"),
    "heads out-in": (lambda W, x: jnp.einsum("dkh,kds->hs", W, x), (3, 2, 4), (2, 3, 5), "IIO"),
    "split": (lambda W, x: jnp.einsum("aib,si->sab", W, x), (3, 2, 4), (5, 2), "OIO"),
    "one output": (lambda W, x: x @ W, (3,), (4, 3), "I"),
    "one position": (lambda W, x: jnp.tensordot(W, x, 1), (3, 2), (2,), "OI"),
    "images": (lambda W, x: conv(x, W, ("NHWC", "HWIO", "NHWC"), (2, 1), "SAME"), (2, 3, 2, 3), (2, 4, 3, 2), "HWIO"),
    "first": (
        lambda W, x: conv(x, W, ("NCHW", "OIHW", "NCHW"), rhs_dilation=(1, 2)),
        (3, 2, 2, 2),
        (1, 2, 3, 4),
        "OIHW",
    ),
    "mixed": (
        lambda W, x: conv(x, W, ("HNWC", "IHOW", "CWNH"), padding=[(1, 0), (0, 2)], lhs_dilation=(2, 1)),
        (2, 2, 3, 2),
        (3, 2, 4, 2),
        "IHOW",
    ),
    "turned": (
        lambda W, x: conv(x, W.transpose(3, 2, 0, 1), ("NCHW", "OIHW", "NCHW")),
        (2, 2, 1, 3),
        (1, 1, 3, 3),
        "HWIO",
    ),
    "groups": (
        lambda W, x: conv(x, W, ("NHWC", "HWIO", "NHWC"), feature_group_count=2),
        (2, 1, 2, 6),
        (2, 3, 2, 4),
        "HWIO",
    ),
    "window exchanged": (
        lambda W, x: conv(x, W, ("NCHW", "OIWH", "NCHW"), (2, 1)),
        (3, 2, 1, 2),
        (1, 2, 3, 2),
        "OIHW",
    ),
    "signals": (lambda W, x: lax.conv(x, W, (2,), "SAME"), (3, 2, 2), (2, 2, 5), "OIH"),
    "volumes": (lambda W, x: lax.conv(x, W, (1, 1, 1), "VALID"), (3, 1, 2, 1, 2), (2, 1, 2, 2, 3), "OIHWD"),
}


def found(function, W, x) -> Product | str:
    """What the last operation is."""
    program = program_of(function, W, x).jaxpr
    axes = dict.fromkeys(program.invars[:1], tuple(range(W.ndim)))
    for place, equation in enumerate(program.eqns):
        held = [not is_literal(v) and v in axes for v in equation.invars]
        if not any(held):
            continue
        operand = held.index(True)
        moved = follow(equation, axes[equation.invars[operand]])
        if moved is None:
            return product_of(place, equation, operand, axes[equation.invars[operand]], W.ndim)
        axes[equation.outvars[0]] = moved
    raise AssertionError("the kernel is used for nothing")


@pytest.mark.parametrize("name", CASES)
def test_it_is_a_product_at_every_position(name):
    function, shape, inputs, letters = CASES[name]
    rng = np.random.default_rng(0)
    W, x = (rng.integers(-4, 5, size).astype("float32") for size in (shape, inputs))  # exact in every precision
    product = found(function, W, x)
    kind = Convolution if "H" in letters else MatrixProduct
    assert type(product) is kind
    assert product.groups == (2 if name == "groups" else 1)
    assert product.letters == letters
    weight = LayerWeight.of("W", {"W": shape}, letters)

    @jax.jit
    def both(kernel, x):
        operands = (x, kernel) if product.operand else (kernel, x)
        z = product.equation.primitive.bind(*operands, **product.equation.params)
        return product.output_gradients(z), product.inputs(x)

    Z, A = map(np.asarray, both(W.transpose(product.axes), x))
    rows = weight.vector({"W": W}).reshape(product.groups, weight.matrix_shape[0] // product.groups, -1)
    blocks = zip(np.split(Z, product.groups, axis=-1), np.split(A, product.groups, axis=-1), rows, strict=True)
    for Z_j, A_j, W_j in blocks:
        np.testing.assert_array_equal(Z_j, A_j @ W_j.T)


@pytest.mark.parametrize(
    ("function", "shape", "letters", "rows"),
    [
        (lambda W, x: W[x], (3, 2), "IO", [0, 2, 2, 1]),
        (lambda W, x: jnp.take(W, x, axis=1), (2, 3, 4), "OIO", [0, 2, 2, 1]),
        (lambda W, x: W.transpose(2, 0, 1)[:, :, x], (2, 3, 4), "OIO", [0, 2, 2, 1]),
        (lambda W, x: jnp.take(W, 2 * x, axis=0), (3, 2), "IO", [0, None, None, 2]),
        (lambda W, x: jnp.take(W, 2 * x, axis=0, mode="clip"), (3, 2), "IO", [0, 2, 2, 2]),
        (lambda W, x: W[x], (3,), "I", [0, 2, 2, 1]),
    ],
)
def test_a_lookup_is_a_product_with_one_hot_rows(function, shape, letters, rows):
    W, x = jnp.asarray(np.random.default_rng(0).standard_normal(shape)), jnp.asarray([[0, 2], [2, 1]])
    product = found(function, W, x)
    assert isinstance(product, Lookup)
    assert product.letters == letters
    index = 2 * x if None in rows or rows[-1] == 2 else x
    A = np.asarray(product.inputs(index[..., None]))
    np.testing.assert_array_equal(A, [np.arange(3) == row for row in rows])
    Z = product.output_gradients(np.nan_to_num(function(W, x)))
    weight = LayerWeight.of("W", {"W": shape}, letters)
    np.testing.assert_array_equal(Z, A @ weight.vector({"W": np.asarray(W)}).reshape(weight.matrix_shape).T)


@pytest.mark.parametrize(
    ("function", "shape", "inputs", "reason"),
    [
        (
            lambda W, x: jnp.einsum("gio,gsi->gso", W, x),
            (2, 3, 4),
            (2, 5, 3),
            "multiplied entry by entry along an axis",
        ),
        (lambda W, x: x @ jnp.broadcast_to(W, (4, 3)), (3,), (2, 4), "is reshaped before 'dot_general'"),
        (lambda W, x: lax.conv(W, x, (1,), "VALID"), (1, 2, 4), (3, 2, 2), "is what another array is convolved over"),
        (lambda W, x: lax.conv(x, W.mT, (1, 1), "SAME"), (3, 2, 2, 2), (1, 2, 3, 3), "axes of its window exchanged"),
        (
            lambda W, x: conv(x, W, ("NCHW", "OIHW", "NCHW"), batch_group_count=2),
            (4, 2, 1, 1),
            (2, 2, 3, 3),
            "groups of examples",
        ),
        (lambda W, x: W[x.astype(int), x.astype(int)], (2, 2), (3,), "'gather' of other than whole rows"),
        (lambda W, x: x + jnp.sin(W), (3, 2), (3, 2), "goes into 'sin'"),
    ],
)
def test_what_is_none(function, shape, inputs, reason):
    product = found(function, jnp.ones(shape), jnp.ones(inputs))
    assert isinstance(product, str)
    assert reason in product
