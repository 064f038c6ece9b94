"""Axes are followed to where the entries really go."""

import numpy as np
import pytest

from kronlin.sources.jax._axes import follow
from kronlin.sources.jax._program import program_of

jax = pytest.importorskip("jax")
jnp, lax = jax.numpy, jax.lax


def followed(function, shape):
    """Follow all axes of an array of that shape through a function; the array, its result and the axes."""
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    axes = tuple(range(x.ndim))
    for equation in program_of(function, x).jaxpr.eqns:
        axes = axes if axes is None else follow(equation, axes)
    return x, np.asarray(function(jnp.asarray(x)), np.float32), axes


MOVES = {
    "transpose": (lambda x: x.transpose(2, 0, 1), (2, 3, 4), (2, 0, 1)),
    "cast": (lambda x: x.astype("float16"), (2, 3), (0, 1)),
    "broadcast": (lambda x: jnp.broadcast_to(x, (3, 2, 4)), (2, 4), (None, 0, 1)),
    "stretched": (lambda x: jnp.broadcast_to(x, (2, 4)), (1, 4), (None, 1)),
    "expanded": (lambda x: x[:, None, :, None], (2, 4), (0, None, 1, None)),
    "reshaped": (lambda x: lax.reshape(x, (1, 2, 1, 4)), (2, 4), (None, 0, None, 1)),
    "squeezed": (lambda x: lax.squeeze(x, (0, -1)), (1, 2, 4, 1), (1, 2)),
    "reshaped back": (lambda x: lax.reshape(x, (2, 4)), (1, 2, 1, 4), (1, 3)),
    "one of ones": (lambda x: lax.reshape(x, (1, 1, 1)), (1,), (None, None, 0)),
    "all of it": (lambda x: lax.slice(x, (0, 0), (2, 4)), (2, 4), (0, 1)),
    "chain": (lambda x: lax.reshape(x.T, (4, 1, 2))[None], (2, 4), (None, 1, None, 0)),
}


@pytest.mark.parametrize("name", MOVES)
def test_the_axes_of_moves(name):
    function, shape, wanted = MOVES[name]
    x, result, axes = followed(function, shape)
    assert axes == wanted
    kept = [axis for axis in axes if axis is not None]
    back = result[tuple(0 if axis is None else slice(None) for axis in axes)]
    gone = tuple(axis for axis in range(x.ndim) if axis not in kept)
    np.testing.assert_array_equal(back.transpose(np.argsort(kept)), x.squeeze(gone))


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: x.reshape(8), (2, 4)),
        (lambda x: x.reshape(4, 2), (2, 4)),
        (lambda x: 2 * x, (2, 4)),
        (lambda x: x[:1], (2, 4)),
        (lambda x: x[::-1], (2, 4)),
        (lambda x: lax.stop_gradient(jnp.sin(x)), (2, 4)),
    ],
)
def test_what_does_more_is_not_followed(function, shape):
    assert followed(function, shape)[2] is None
