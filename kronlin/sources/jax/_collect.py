"""The gradient source of JAX: the program of a model is read, and run with shifts at the results of its products."""

from typing import Any

from kronlin.arrays import Array
from kronlin.sources._source import Collected, Fisher, Unsupported, require_options
from kronlin.sources.jax._compiled import compiled
from kronlin.sources.jax._differentiate import differentiate
from kronlin.sources.jax._jax import Tree, import_jax
from kronlin.sources.jax._losses import loss_function
from kronlin.sources.jax._names import named_arrays
from kronlin.sources.jax._trace import Model, Pair, parted


def collect(
    model: Model,
    loss: Any,
    x: Tree,
    y: Any,
    fisher: Fisher = "type-2",
    seed: int = 0,
    samples: int = 1,
    unsupported: Unsupported = "error",
    check: bool = True,
) -> Collected:
    """Return `(layers, gradient, loss)` of a pure function on n examples: all that the curvature is built from.

    The function is traced and read: a matrix product or a convolution with a parameter, transposed at most, is a layer,
    and so are rows looked up in one (an embedding; inputs are dense one-hot rows); a parameter added to the result is
    the bias. So any model will do that is a function of its parameters, written by hand or `model.apply` of Flax,
    without a word in it about curvature. The columns carried back are

    * "type-2": the roots of the Hessians of the ℓ_i, so that `fisher(layers)` is the generalised Gauss-Newton matrix of
      the risk h = (1/n) Σ_i ℓ_i; a column for each output of an example, positions and classes alike;
    * "mc": K = `samples` gradients with labels drawn from the model, over √K: the same matrix up to noise;
    * "empirical": ∇ℓ_i with the given label, K = 1: another matrix; the mean of the columns is the gradient.

    A kernel that is used several times, or at several positions, is one layer with the positions of all uses, those of
    its transpose among them. A convolution with G groups makes G layers "name[0]", .... A vector that is no such bias,
    the scale of a normalisation say, is a layer with the single input one and the gradients of the examples as columns:
    nothing is approximated. Layers have the names of kernels and come in the order in which the model uses them.
    `layout` and `to_tree` lead from kronlin's vectors back to the parameters.

    Args:
        model: a pair (function, parameters). `function(parameters, x)` is one array (n, ...), examples first, each of
            which depends on its own x alone. The parameters are arrays of float32 or float64 in any containers; what
            the function closes over is not differentiated.
        loss: "mse", "softmax" or "bernoulli" as in `numpy_mlp`, a sum over the last axis and all positions; a `Loss`;
            for fisher="empirical" any function of the outputs (...) and labels of one example.
        x: an array (n, ...), or several in containers.
        y: labels as the loss takes them, n of them; real numbers are cast to the dtype of the parameters.
        fisher: which columns.
        seed: for the labels of "mc".
        samples: how many labels are drawn for each example, for "mc".
        unsupported: what becomes of parameters that no known layer explains: "error" names them and the operation;
            "columns" takes the gradients of the examples as columns of one layer a parameter, exact, for n K p numbers
            (`diagonal_fisher` of these layers is a diagonal block); "omit" leaves them out of layers and gradient, so
            that `to_tree` leaves theirs as they are, an identity block.
        check: whether it is tested that the model treats its examples one by one: at the first call for a function,
            loss, options and shapes, and then no more.

    Cost: a forward pass, a backward pass for the gradient and one for each column; the memory of all a and g. The first
    call for a function, as a Python object, and for shapes reads, compiles and checks, the last 64 of which are kept:
    pass the same function again, but a new one if something that it closes over has changed.

    Raises:
        ValueError: an unknown name, a parameter that is not supported, examples that the model mixes, labels that do
            not fit, or NaN or Inf.
        ImportError: there is no JAX.

    >>> import jax.numpy as jnp
    >>> from kronlin.sources import jax as source
    >>> def network(parameters, x):
    ...     hidden = jnp.tanh(x @ parameters["first"]["kernel"] + parameters["first"]["bias"])
    ...     return hidden @ parameters["last"]["kernel"]
    >>> first = {"kernel": jnp.ones((3, 4)), "bias": jnp.zeros(4)}
    >>> parameters = {"first": first, "last": {"kernel": jnp.ones((4, 2))}}
    >>> model, x, y = (network, parameters), jnp.ones((5, 3)), jnp.zeros(5, int)
    >>> layers, gradient, loss = source.collect(model, "softmax", x, y)
    >>> [(layer.name, layer.d_out, layer.d_in) for layer in layers]
    [('first/kernel', 4, 4), ('last/kernel', 2, 4)]
    >>> gradient.shape
    (24,)

    Source: Martens (2020), "New insights and perspectives on the natural gradient method", for the Fisher matrices;
    Dangel, Kunstner and Hennig (2020), "BackPACK: packing more into backprop", for carrying back the columns of a root;
    Eschenhagen et al., arXiv 2311.00636, for shared weights.
    """
    require_options(fisher, samples, unsupported)
    jax, head = import_jax(), loss_function(loss)
    function, parameters = parted(model)
    x, y = jax.tree_util.tree_map(jax.numpy.asarray, (x, y))
    _require_arrays(parameters, x)
    program = compiled(function, head, (fisher, samples, unsupported), parameters, x, y)
    head.check(program.outputs, y)
    return program.collect(parameters, x, y, seed, check)


def collect_arrays(
    model: Model,
    loss: Any,
    x: Tree,
    y: Array,
    fisher: Fisher = "type-2",
    seed: Any = 0,
    samples: int = 1,
    unsupported: Unsupported = "error",
) -> tuple[tuple[Pair, ...], Array, Array]:
    """Return `(pairs, gradient, loss)` as `collect` does, as a pure function of arrays: for use inside of `jax.jit`.

    A pair is the inputs (n, S, d_in) and output gradients (n, S, K, d_out) of a layer, for `LayerStatistics(*pair)`
    outside. What can be told without a look at entries is checked, nothing else.

    Args:
        model: as for `collect`, and so are the others.
        loss: a name, a `Loss`, or a function.
        x: the inputs.
        y: the labels.
        fisher: which columns.
        seed: an integer, which may be traced too.
        samples: labels drawn for each example, for "mc".
        unsupported: "error", "columns" or "omit".

    Raises:
        ValueError: an unknown name, a parameter that is not supported, or labels of a wrong shape.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> from kronlin.sources import jax as source
    >>> def linear(parameters, x):
    ...     return x @ parameters["W"]
    >>> @jax.jit
    ... def statistics(parameters, x, y):
    ...     return source.collect_arrays((linear, parameters), "mse", x, y)
    >>> pairs, gradient, loss = statistics({"W": jnp.ones((3, 2))}, jnp.ones((5, 3)), jnp.ones((5, 2)))
    >>> [(a.shape, g.shape) for a, g in pairs]
    [((5, 1, 3), (5, 1, 2, 2))]
    """
    require_options(fisher, samples, unsupported)
    function, parameters = parted(model)
    return differentiate(function, loss_function(loss), fisher, samples, unsupported, parameters, x, y, seed)[:3]


def _require_arrays(parameters: Tree, x: Tree) -> None:
    """Require parameters of one dtype that JAX keeps, and inputs with the same number of examples."""
    named = named_arrays(parameters)
    kinds = {name: str(getattr(array, "dtype", type(array).__name__)) for name, array in named.items()}
    dtypes = set(kinds.values())
    if dtypes not in ({"float32"}, {"float64"}):
        found = ", ".join(f"{name!r} {kind}" for name, kind in kinds.items())
        raise ValueError(
            f"the parameters are {found or 'none'}, and curvature needs all of them float32, or all float64: let the "
            "model close over what is not to be differentiated, and cast within the model for lower precision"
        )
    if dtypes == {"float64"} and not import_jax().config.jax_enable_x64:
        raise ValueError(
            "the parameters are float64, which JAX would turn into float32: switch double precision on first, by "
            'jax.config.update("jax_enable_x64", True), or cast them'
        )
    counts = {name: array.shape[0] if array.ndim else None for name, array in named_arrays(x).items()}
    if len(set(counts.values())) != 1 or set(counts.values()) & {0, None}:
        found = ", ".join(f"{n} of {name!r}" if name else str(n) for name, n in counts.items())
        raise ValueError(f"x must have its n >= 1 examples along the first axis of every array, found {found}")
