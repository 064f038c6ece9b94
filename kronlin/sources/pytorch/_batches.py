"""Batches of a data loader, one after the other or taken together."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kronlin.arrays import optional_import
from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources._source import Collected
from kronlin.sources.pytorch._collect import collect
from kronlin.sources.pytorch._losses import loss_function
from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


def collect_batches(
    model: Module, loss: Any, batches: Iterable[tuple[Any, Tensor]], progress: bool = False, **options: Any
) -> Iterator[Collected]:
    """Yield what `collect` returns for one batch after the other; each is let go before the next one is made.

    `stream(kfac, (layers for layers, _, _ in collect_batches(...)))` is the K-FAC of all examples, with one batch in
    memory. Where an estimator must have all of them at once, there is `concatenate`.

    Args:
        model: as for `collect`.
        loss: as for `collect`, but not with reduction "sum": the loss of all batches is the mean over their examples.
        batches: pairs (x, y), such as a `DataLoader` yields; they are moved to the device of the parameters.
        progress: whether to show a bar by tqdm.
        options: for `collect`; batch j has the seed `seed` + j.

    Raises:
        ValueError: as `collect`, and for reduction "sum".
        ImportError: tqdm is asked for and missing.

    >>> import torch
    >>> from kronlin.sources import pytorch
    >>> model, data = torch.nn.Linear(3, 2), [(torch.ones(n, 3), torch.ones(n, 2)) for n in (5, 4)]
    >>> [layers[0].n for layers, gradient, loss in pytorch.collect_batches(model, torch.nn.MSELoss(), data)]
    [5, 4]
    """
    if loss_function(loss).reduction == "sum":
        raise ValueError(
            "a loss with reduction 'sum' grows with the batch, and the mean over batches of different sizes is no loss "
            "of all examples: take reduction='mean', and multiply by the number of examples afterwards"
        )
    seed = options.pop("seed", 0)
    device = next((parameter.device for parameter in model.parameters()), None)
    if progress:
        batches = optional_import("tqdm", extra="demo").tqdm(batches, desc="collect", unit="batch")
    for j, (x, y) in enumerate(batches):
        yield collect(model, loss, _moved(x, device), _moved(y, device), seed=seed + j, **options)


def concatenate(collected: Iterable[Collected]) -> Collected:
    """What `collect` would return for the examples of all batches at once: gradient and loss are means over examples.

    That is exact for a loss whose mean is one over the examples; with ignored labels or class weights each batch keeps
    the divisor of its own.

    Args:
        collected: what `collect` returned for each batch, a generator say, all of it held.

    Raises:
        ValueError: there is no batch, or the batches differ in layers, positions or columns.

    >>> import torch
    >>> from kronlin.sources import pytorch
    >>> model, data = torch.nn.Linear(3, 2), [(torch.ones(n, 3), torch.ones(n, 2)) for n in (5, 4)]
    >>> pytorch.concatenate(pytorch.collect_batches(model, torch.nn.MSELoss(), data))[0][0]
    LayerStatistics('', n=9, S=1, K=2, d_out=2, d_in=4, torch float32)
    """
    every = list(collected)
    if not every:
        raise ValueError("there is no batch: a generator serves one pass only")
    batches, gradients, losses = zip(*every, strict=True)
    sizes = {tuple((layer.name, layer.S, layer.K) for layer in layers) for layers in batches}
    if len(sizes) > 1:
        raise ValueError(f"the batches differ in the names, positions S or columns K of their layers: {sizes}")
    counts = [layers[0].n for layers in batches]
    weights = [n / sum(counts) for n in counts]
    gradient = sum(weight * gradient for weight, gradient in zip(weights, gradients, strict=True))
    risk = sum(weight * risk for weight, risk in zip(weights, losses, strict=True))
    return tuple(_joined(layers) for layers in zip(*batches, strict=True)), gradient, risk


def _joined(layers: tuple[LayerStatistics, ...]) -> LayerStatistics:
    """One layer of all batches."""
    cat = import_torch().cat
    inputs = cat([layer.inputs for layer in layers])
    return LayerStatistics(inputs, cat([layer.output_gradients for layer in layers]), name=layers[0].name)


def _moved(x: Any, device: Any) -> Any:
    """A tensor, or a tuple or mapping of such, on another device."""
    if isinstance(x, Mapping):
        return {name: _moved(value, device) for name, value in x.items()}
    if isinstance(x, tuple | list):
        return [_moved(value, device) for value in x]
    return x.to(device) if isinstance(x, import_torch().Tensor) else x
