"""Between kronlin's vectors and the parameters of a model of JAX."""

from kronlin.arrays import Array
from kronlin.curvature.layout import ParameterLayout
from kronlin.sources._source import Unsupported
from kronlin.sources.jax._jax import Tree, import_jax
from kronlin.sources.jax._names import named_arrays, rebuilt
from kronlin.sources.jax._parts import layout_of
from kronlin.sources.jax._trace import Model, parted, trace


def layout(model: Model, x: Tree, unsupported: Unsupported = "error") -> ParameterLayout:
    """Which entry of the vectors that belong to `collect` is which entry of which parameter.

    Names are the ways to the arrays, "params/dense/kernel"; a parameter without axes has the shape (1,). Nothing is
    computed, the model is only traced.

    Args:
        model: a pair (function, parameters) as for `collect`; shapes, `jax.ShapeDtypeStruct`, do for the arrays.
        x: inputs, of which only the shapes and dtypes are looked at.
        unsupported: what was passed to `collect`; with "omit" the vector has no entries for some parameters.

    Raises:
        ValueError: a parameter is not supported.

    >>> import jax.numpy as jnp
    >>> from kronlin.sources import jax as source
    >>> parameters = {"W": jnp.ones((3, 2)), "b": jnp.ones(2)}
    >>> source.layout((lambda parameters, x: x @ parameters["W"] + parameters["b"], parameters), jnp.ones((5, 3)))
    ParameterLayout(2×4, 8 parameters)
    """
    traced = trace(*parted(model), x, unsupported)
    return layout_of(traced.parts, traced.shapes)


def to_tree(layout: ParameterLayout, vector: Array, like: Tree) -> Tree:
    """A vector (p,) in the containers of the parameters, for `jax.tree.map` or an optimiser of optax.

    Args:
        layout: what `layout` returned for the model.
        vector: a step or a gradient, an array of JAX.
        like: a tree with the names and shapes of the parameters; what the layout omits is taken from it. With the
            gradient as `like`, the step of an omitted parameter is its gradient.

    Raises:
        ValueError: the vector does not have the length of the layout, or the tree lacks a name.

    >>> import jax.numpy as jnp
    >>> from kronlin.sources import jax as source
    >>> parameters = {"W": jnp.ones((3, 2)), "b": jnp.ones(2)}
    >>> def linear(parameters, x):
    ...     return x @ parameters["W"] + parameters["b"]
    >>> layout = source.layout((linear, parameters), jnp.ones((5, 3)))
    >>> source.to_tree(layout, jnp.arange(8.0), like=parameters)["b"].tolist()
    [3.0, 7.0]
    """
    shapes = {name: tuple(array.shape) for name, array in named_arrays(like).items()}
    arrays = layout.arrays(import_jax().numpy.asarray(vector))
    missing = [name for name in arrays if name not in shapes]
    if missing:
        raise ValueError(f"the tree has no array {missing[0]!r}, its names are {', '.join(map(repr, shapes))}")
    return rebuilt(like, {name: array.reshape(shapes[name]) for name, array in arrays.items()})
