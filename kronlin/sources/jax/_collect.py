"""The gradient source of JAX: the program of a model is read, and run with shifts at the results of its products."""

import operator
from functools import lru_cache, partial
from math import isfinite, sqrt
from typing import Any

from kronlin.arrays import Array
from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources._source import Collected, Fisher, require_fisher
from kronlin.sources.jax._jax import Tree, import_jax
from kronlin.sources.jax._loss import Loss
from kronlin.sources.jax._losses import loss_function
from kronlin.sources.jax._names import named_arrays
from kronlin.sources.jax._parts import UNSUPPORTED, Unsupported
from kronlin.sources.jax._trace import Function, Model, Pair, parted, trace


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
        check: whether it is tested that the model treats its examples one by one.

    Cost: a forward pass, a backward pass for the gradient and one for each column, a forward pass for the check; the
    memory of all a and g. It is compiled by `jax.jit` for every function, as a Python object, and every shape: pass the
    same function again, but a new one if something that it closes over has changed.

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
    _check_options(fisher, samples, unsupported)
    jax, head = import_jax(), loss_function(loss)
    function, parameters = parted(model)
    x, y = jax.tree_util.tree_map(jax.numpy.asarray, (x, y))
    _require_arrays(parameters, x)
    traced = trace(function, parameters, x, unsupported)
    f = jax.eval_shape(function, parameters, x)
    head.targets(f, y)
    head.check(f, y)
    run = _compiled(function, head, fisher, samples, unsupported, check)
    pairs, gradient, risk, mixed = run(parameters, x, y, seed)
    risk = float(risk)
    if not (isfinite(risk) and bool(jax.numpy.isfinite(gradient).all())):
        raise ValueError(
            f"the loss is {risk} and the largest entry of its gradient {float(abs(gradient).max())}: look for NaN or "
            "Inf in the data, or for an overflow in the model"
        )
    if float(mixed) > 10 * sqrt(float(jax.numpy.finfo(f.dtype).eps)):
        raise ValueError(
            f"the outputs of the model differ by {float(mixed):.1e}, relatively, between all examples at once and one "
            "by one: no layer may normalise over the examples, and no random numbers may be drawn (dropout), so call "
            "it in evaluation mode; if it rounds to low precision on the way, pass check=False"
        )
    names = [name for part in traced.parts for name in part.names]
    layers = tuple(LayerStatistics(a, g, name=name) for (a, g), name in zip(pairs, names, strict=True))
    return layers, gradient, risk


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
    _check_options(fisher, samples, unsupported)
    function, parameters = parted(model)
    return _differentiate(function, loss_function(loss), fisher, samples, unsupported, False, parameters, x, y, seed)[
        :3
    ]


def _differentiate(
    function: Function,
    head: Loss,
    fisher: str,
    samples: int,
    unsupported: Unsupported,
    check: bool,
    parameters: Tree,
    x: Tree,
    y: Array,
    seed: Any,
) -> tuple[tuple[Pair, ...], Array, Array, Array]:
    """The pairs of all layers, the gradient, the risk, and how far outputs of the batch are from those one by one.

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
    mixed = xp.zeros(())
    if check:
        mixed = abs(function(parameters, x) - f).max() / xp.maximum(abs(f).max(), xp.finfo(f.dtype).tiny)
    return layers[-1], gradient, risk, mixed


def _sampled(head: Loss, samples: int, f: Array, key: Array) -> Array:
    """Gradients of sampled labels over `√samples`, (samples, *f.shape), for one example."""
    jax = import_jax()
    keys = jax.random.split(key, samples)
    labels = jax.vmap(head.sample, in_axes=(None, 0))(f, keys)
    return jax.vmap(head.gradient, in_axes=(None, 0))(f, labels) / sqrt(samples)


@lru_cache(maxsize=64)
def _compiled(function: Function, head: Loss, fisher: str, samples: int, unsupported: Unsupported, check: bool) -> Any:
    """The compiled function of what changes from call to call."""
    return import_jax().jit(partial(_differentiate, function, head, fisher, samples, unsupported, check))


def _check_options(fisher: str, samples: int, unsupported: str) -> None:
    require_fisher(fisher)
    if unsupported not in UNSUPPORTED:
        raise ValueError(f"unknown unsupported {unsupported!r}: choose one of {', '.join(map(repr, UNSUPPORTED))}")
    if operator.index(samples) < 1:
        raise ValueError(f"samples = {samples}: at least one label per example must be drawn")
    if samples != 1 and fisher != "mc":
        raise ValueError(f"samples = {samples} has no meaning for fisher={fisher!r}, only for fisher='mc'")


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
