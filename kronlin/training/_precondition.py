"""precondition: a gradient transformation of optax for trees of JAX arrays."""

from collections.abc import Callable
from typing import Any, NamedTuple

from kronlin.arrays import Array, optional_import
from kronlin.curvature import ParameterLayout
from kronlin.preconditioner import Preconditioner

Tree = Any
"""Arrays of JAX in any containers."""


class GradientTransformation(NamedTuple):
    """The pair of functions that optax calls by this name: `init(params)` and `update(updates, state, params)`.

    Two functions and nothing else, so that `optax.chain` takes it, and optax need not be installed.

    Args:
        init: parameters to a state.
        update: updates, a state and parameters to new updates and a new state.

    >>> halve = GradientTransformation(lambda params: (), lambda updates, state, params=None: (updates / 2, state))
    >>> halve.update(4.0, halve.init(1.0))
    (2.0, ())
    """

    init: Callable[[Tree], Any]
    update: Callable[..., tuple[Tree, Any]]


def precondition(preconditioner: Preconditioner, layout: ParameterLayout) -> GradientTransformation:
    """The transformation g ↦ v = `preconditioner.apply(g)` of a tree of gradients.

    The state is in the preconditioner, which is no pure function: call its `update(layers)` at each step, and the
    transformation after it, both outside of `jax.jit`. Inside may be what computes the layers and the gradient, and
    what follows: in `optax.chain(precondition(...), optax.sgd(0.1))` the rest is as always.

    Args:
        preconditioner: a `Preconditioner`.
        layout: which entry of a vector is which of the arrays; their names are the ways to them in the tree, such as
            "dense/kernel". Arrays that it omits keep their gradient, and one without axes has the shape (1,).

    Raises:
        ImportError: JAX cannot be imported, at the first use.
        ValueError: a tree lacks an array of the layout, at its use.

    >>> import jax.numpy as jnp, numpy as np, kronlin as kl
    >>> layout = kl.ParameterLayout({"W": (2, 1), "b": (1,)}, [("W", "b")], order="in-out")
    >>> preconditioner = kl.Preconditioner(kl.kfac, 1.0)
    >>> transformation = kl.training.precondition(preconditioner, layout)
    >>> inputs, outputs = jnp.ones((4, 3), dtype="float32"), jnp.ones((4, 1), dtype="float32")
    >>> _ = preconditioner.update([kl.LayerStatistics(inputs, outputs)])
    >>> gradient = {"W": jnp.ones((2, 1), dtype="float32"), "b": jnp.ones(1, dtype="float32")}
    >>> step, _ = transformation.update(gradient, transformation.init(gradient))
    >>> step["W"].tolist(), step["b"].tolist()  # (1 1ᵀ + I)⁻¹ 1 = 1/4
    ([[0.25], [0.25]], [0.25])

    Source: the interface is that of optax: DeepMind et al. (2020), "The DeepMind JAX ecosystem".
    """

    def init(params: Tree) -> tuple[()]:
        return ()

    def update(updates: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Any]:
        tree_util = optional_import("jax", extra="jax").tree_util
        paths, structure = tree_util.tree_flatten_with_path(updates)
        named = {"/".join(map(_key, path)): array for path, array in paths}
        missing = [name for name in layout.names if name not in named]
        if missing:
            raise ValueError(f"the tree has no {', '.join(missing)}, which the layout has, but {', '.join(named)}")
        vector = layout.vector({name: _with_axes(named[name]) for name in layout.names})
        steps = layout.arrays(preconditioner.apply(vector))
        new = [steps[name].reshape(array.shape) if name in steps else array for name, array in named.items()]
        return tree_util.tree_unflatten(structure, new), state

    return GradientTransformation(init, update)


def _with_axes(array: Array) -> Array:
    """A number as an array of one entry."""
    return array if array.ndim else array.reshape(1)


def _key(entry: Any) -> str:
    """One step of the way to an array: a key, an index, or the name of an attribute."""
    return str(next((getattr(entry, kind) for kind in ("key", "idx", "name") if hasattr(entry, kind)), entry))
