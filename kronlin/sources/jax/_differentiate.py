"""The pure function behind the JAX source: arrays in, the layers' arrays, gradient, loss and outputs out."""

from math import sqrt
from typing import Any

from kronlin.arrays import Array
from kronlin.sources._source import Unsupported
from kronlin.sources.jax._jax import Tree, import_jax
from kronlin.sources.jax._loss import Loss
from kronlin.sources.jax._names import named_arrays
from kronlin.sources.jax._trace import Function, Pair, trace


def differentiate(
    function: Function,
    head: Loss,
    fisher: str,
    samples: int,
    unsupported: Unsupported,
    parameters: Tree,
    x: Tree,
    y: Array,
    seed: Any,
) -> tuple[tuple[Pair, ...], Array, Array, Array]:
    """The pairs of all layers, the gradient, the risk, and the outputs of the examples one by one.

    The gradient of ℓ_i is carried back beside the columns, so that one forward pass serves for all.
    """
    jax = import_jax()
    xp, traced = jax.numpy, trace(function, parameters, x, unsupported)
    weights = list(named_arrays(parameters).values())
    dtype, n = weights[0].dtype, len(jax.tree_util.tree_leaves(x)[0])
    targets = head.targets(jax.ShapeDtypeStruct((n, *traced.program.out_avals[0].shape), dtype), y)

    def single(x: Tree, target: Array, key: Array) -> tuple[Array, tuple[tuple[Pair, ...], ...]]:
        def columns_of(f: Array) -> list[Array]:
            f = f.astype(dtype)
            slope = head.gradient(f, target)[None]
            if fisher == "empirical":
                return [slope]
            return [slope, head.columns(f) if fisher == "type-2" else _sampled(head, samples, f, key)]

        return traced.differentiate(weights, x, columns_of)

    f, layers = jax.vmap(single)(x, targets, jax.random.split(jax.random.key(seed), n))
    risk = jax.vmap(head.value)(f.astype(dtype), targets).mean()
    gradient = xp.concatenate([xp.einsum("nsko,nsi->oi", g, a).ravel() for a, g in layers[0]]) / n
    return layers[-1], gradient, risk, f


def _sampled(head: Loss, samples: int, f: Array, key: Array) -> Array:
    """Gradients of sampled labels over `√samples`, (samples, *f.shape), for one example."""
    jax = import_jax()
    keys = jax.random.split(key, samples)
    labels = jax.vmap(head.sample, in_axes=(None, 0))(f, keys)
    return jax.vmap(head.gradient, in_axes=(None, 0))(f, labels) / sqrt(samples)
