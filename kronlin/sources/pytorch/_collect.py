"""The gradient source of PyTorch: one forward pass with hooks, then a backward pass for each column."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from kronlin.arrays import all_finite
from kronlin.sources._source import Collected, Fisher, Unsupported, require_options
from kronlin.sources.pytorch._as_found import as_found
from kronlin.sources.pytorch._capture import captured, uses
from kronlin.sources.pytorch._columns import columns_of, number_of_columns
from kronlin.sources.pytorch._examples import carried_back, gradients_of_examples, mixing
from kronlin.sources.pytorch._gather import Gatherer, Vector, gatherers_of
from kronlin.sources.pytorch._layout import layout_of
from kronlin.sources.pytorch._losses import loss_function
from kronlin.sources.pytorch._norms import refuse_statistics_of_the_batch
from kronlin.sources.pytorch._parts import Part, modules_of, parts_of
from kronlin.sources.pytorch._risk import in_full, labels_for, run
from kronlin.sources.pytorch._support import supported
from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


def collect(
    model: Module,
    loss: Any,
    x: Any,
    y: Tensor,
    fisher: Fisher = "type-2",
    seed: int = 0,
    samples: int = 1,
    unsupported: Unsupported = "error",
    check: bool = True,
) -> Collected:
    """Return `(layers, gradient, loss)` of a model of PyTorch on n examples: all that the curvature is built from.

    h = loss(model(x), y) = (1/n) Σ_i ℓ_i defines the ℓ_i, whatever the loss averages over. `fisher(layers)` is
    (1/n) Σ_ik c_ik-columns squared, where the columns at the output, carried back to every layer, are

    * "type-2": the roots of n ∇²h, so that it is the generalised Gauss-Newton matrix of h itself; K is the number of
      outputs of one example, a column for each position and class;
    * "mc": K = `samples` gradients with labels drawn from the model, over √K: the same matrix up to noise;
    * "empirical": ∇ℓ_i with the given label, K = 1: another matrix; the mean of the columns is the gradient.

    Layers are `nn.Linear`, `nn.Conv1d`, `nn.Conv2d`, `nn.Conv3d` (G groups make G layers "name[0]", ...) and
    `nn.Embedding` (inputs are dense one-hot rows); a module that is used twice, or modules that share a weight, are one
    layer with the positions of all uses. Scales and shifts of normalisations, and biases that have another partner than
    their weight, are layers with the single input one and the gradients of the examples as columns: nothing is
    approximated. Layers come in the order of `model.named_parameters()`, of which those that require no gradient are
    left out.

    The model is left as it was found: hooks, `.grad`, training flags, buffers, random generators. A batch normalisation
    in training mode is refused. Under autocast the products run in low precision, what is returned is in that of the
    parameters. `layout` and `write_grad` lead from kronlin's vectors back to the parameters.

    Args:
        model: a module that returns one tensor (n, ...), examples first in it and in what its layers see.
        loss: `nn.MSELoss`, `nn.CrossEntropyLoss` or `nn.BCEWithLogitsLoss` with reduction "mean" or "sum"; "mse",
            "softmax" or "bernoulli" as in `numpy_mlp`; a `Loss`; for fisher="empirical" any function of outputs and
            labels that is a sum or a mean over the examples.
        x: what the model takes: a tensor, a tuple of arguments or a mapping of named ones.
        y: labels as the loss takes them.
        fisher: which columns.
        seed: for the labels of "mc", from a generator of their own.
        samples: how many labels are drawn for each example, for "mc".
        unsupported: what becomes of parameters that no known layer explains, or of a layer whose outputs are not
            example by example (positions encoded once for all, a sequence before the examples): "error" names them;
            "columns" takes the gradients of the examples as columns of one layer a parameter, exact, for n K backward
            passes and n K p numbers (`diagonal_fisher` of these layers is a diagonal block); "omit" leaves them out of
            layers and gradient, so that `write_grad` leaves theirs as they are, an identity block.
        check: whether to see that no layer mixes examples: from the graph, if it consists of linear layers,
            convolutions, poolings, reshaping and what acts on each entry; by one more backward pass otherwise. Without
            it, outputs that do mix are taken as they come, and the Fisher matrix may be wrong: leave it out only for a
            model that has passed.

    Cost: a forward pass, a backward pass for the gradient, and one for each column; the memory of all a and g.

    Raises `ValueError` for unknown names, parameters that are not supported, labels that
    do not fit, and for NaN or Inf; `ImportError` without PyTorch.

    >>> import torch
    >>> from kronlin.sources import pytorch
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(2, 4, 3), torch.nn.Flatten(), torch.nn.Linear(12, 3))
    >>> x, y = torch.ones(6, 2, 5), torch.tensor([0, 1, 2, 0, 1, 2])
    >>> layers, gradient, loss = pytorch.collect(model, torch.nn.CrossEntropyLoss(), x, y)
    >>> layers[0]
    LayerStatistics('0', n=6, S=3, K=3, d_out=4, d_in=7, torch float32)
    >>> gradient.shape
    torch.Size([67])

    Source: Martens (2020), "New insights and perspectives on the natural gradient method", for the Fisher matrices;
    Dangel, Kunstner and Hennig (2020), "BackPACK: packing more into backprop", for carrying back the columns of a root;
    Eschenhagen et al., arXiv 2311.00636, for shared weights.
    """
    with as_found(model):
        return collect_in_passing(model, loss, x, y, fisher, seed, samples, unsupported, check)


def collect_in_passing(
    model: Module,
    loss: Any,
    x: Any,
    y: Tensor,
    fisher: Fisher = "type-2",
    seed: int = 0,
    samples: int = 1,
    unsupported: Unsupported = "error",
    check: bool = True,
) -> Collected:
    """As `collect`, but as a pass of training: buffers and random generators are left as the forward pass leaves them.

    It wants gradients enabled, and casts of autocast not kept.
    """
    require_options(fisher, samples, unsupported)
    torch, head = import_torch(), loss_function(loss)
    refuse_statistics_of_the_batch(model)
    all_parts, named = parts_of(model), dict(model.named_parameters())
    with captured(modules_of(model, all_parts)) as calls:
        f = run(model, x)
        if not f.requires_grad:
            raise ValueError("the output of the model depends on no parameter that requires a gradient")
    high = in_full(f)
    h = head.value(high, labels_for(head, y))
    n, K, risk = len(f), number_of_columns(head, high, fisher, samples), float(h.detach())
    _require_finite(risk, high)
    parts = supported(all_parts, named, calls, uses(f), mixing(f, calls, check), unsupported)
    gatherers = gatherers_of(parts, named, calls, n, K)
    edges = [edge for gatherer in gatherers for edge in gatherer.edges]
    wanted = [named[name] for part in parts for name in part.parameters]
    more = [high, *edges] if fisher == "empirical" else []
    found = torch.autograd.grad(h, [*wanted, *more], retain_graph=True, allow_unused=True)
    gradient = _vector(parts, named, found[: len(wanted)])
    _require_finite(risk, gradient)
    if fisher == "empirical":  # the column is n ∇h, which has just been carried back
        column, *carried = (None if g is None else n * g for g in found[len(wanted) :])
        _take(gatherers, 0, f, column, carried)
    else:
        for k, column in enumerate(columns_of(head, high, y, fisher, seed, samples)):
            column = column.to(f.dtype)
            _take(gatherers, k, f, column, carried_back(f, edges, column))
    layers = tuple(layer for gatherer in gatherers for layer in gatherer.layers())
    return layers, gradient, risk


def _vector(parts: Sequence[Part], named: Mapping[str, Tensor], gradients: Sequence[Tensor | None]) -> Tensor:
    """Gradients of the parameters of the parts, in their order, as a vector."""
    names = [name for part in parts for name in part.parameters]
    arrays = dict(named)
    for name, gradient in zip(names, gradients, strict=True):
        whole = import_torch().zeros_like(named[name]) if gradient is None else gradient
        arrays[name] = whole.to_dense() if whole.is_sparse else whole
    shaped = {name: array.detach().reshape(tuple(array.shape) or (1,)) for name, array in arrays.items()}
    return layout_of(parts, dict(named)).vector(shaped)


def _require_finite(risk: float, x: Tensor) -> None:
    """Require a finite loss and finite outputs or gradients."""
    if not (isfinite(risk) and all_finite(x)):
        raise ValueError(
            f"the loss is {risk}, and outputs or gradients are up to {float(x.detach().abs().max())}: look for NaN or "
            "Inf in the data, or for an overflow in the model"
        )


def _take(gatherers: Sequence[Gatherer], k: int, f: Tensor, column: Tensor, at_edges: Sequence[Tensor | None]) -> None:
    """Hand every part its gradients of column k."""
    rest = iter(at_edges)
    for gatherer in gatherers:
        gatherer.take(k, [next(rest) for _ in gatherer.edges])
    others = [gatherer for gatherer in gatherers if isinstance(gatherer, Vector) and not gatherer.part.roles]
    if others:
        rows = gradients_of_examples(f, column, [gatherer.parameter for gatherer in others])
        for gatherer, row in zip(others, rows, strict=True):
            gatherer.columns[:, k] = row
