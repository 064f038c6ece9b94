"""Between kronlin's vectors and the parameters of a model: the layout, and a vector written into `.grad`."""

import re
from collections.abc import Iterable, Sequence

from kronlin.arrays import Array
from kronlin.curvature.layout import ParameterLayout
from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources.pytorch._parts import Part, alone, parts_of
from kronlin.sources.pytorch._torch import Module, Tensor


def layout(model: Module, layers: Sequence[LayerStatistics]) -> ParameterLayout:
    """Which entry of a vector that belongs to the layers is which entry of which parameter of the model.

    `layout(model, layers).arrays(vector)` are arrays by the names of `model.named_parameters()`, and `.vector` leads
    back. A parameter without axes has the shape (1,) there.

    Args:
        model: the model that the layers were collected from.
        layers: what `collect` returned; only names and sizes are looked at.

    Raises:
        ValueError: a layer has a name that is no layer of the model.

    >>> import torch
    >>> from kronlin.sources import pytorch
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    >>> layers, gradient, loss = pytorch.collect(model, torch.nn.MSELoss(), torch.ones(5, 3), torch.ones(5, 2))
    >>> pytorch.layout(model, layers)
    ParameterLayout(4×4, 2×5, 26 parameters)
    """
    known = {part.name: part for part in parts_of(model)}
    named = dict(model.named_parameters())
    parts: dict[str, Part] = {}
    for layer in layers:
        name = re.sub(r"\[\d+\]$", "", layer.name or "")
        if name not in known and name not in named:
            raise ValueError(f"the model has no layer {layer.name!r}, only {', '.join(map(repr, known))}")
        flat = name in named and layer.d_out == named[name].numel()  # columns of a parameter, as it is stored
        parts[name] = alone(name) if flat or name not in known else known[name]
    return layout_of(parts.values(), named)


def layout_of(parts: Iterable[Part], named: dict[str, Tensor]) -> ParameterLayout:
    """The layout of these parts, all other parameters left out."""
    pairs: list[str | tuple[str, str | None]] = []
    order: dict[str, str] = {}
    for part in parts:
        kernel, *bias = part.parameters
        pairs.append((kernel, bias[0] if bias else None))
        order[kernel] = "O" * max(named[kernel].ndim, 1) if part.kind is None else part.kind.order
    shapes = {name: tuple(parameter.shape) or (1,) for name, parameter in named.items()}
    return ParameterLayout(shapes, pairs, order=order, others="omit")


def write_grad(model: Module, layers: Sequence[LayerStatistics], vector: Array) -> None:
    """Put a vector into the `.grad` of the parameters, for an optimiser of PyTorch to take it from there.

    Parameters that are in no layer keep the `.grad` they have. Nothing is scaled and no sign is changed: write
    `K.solve(gradient)` and an optimiser that subtracts makes the step of K.

    Args:
        model: the model that the layers were collected from.
        layers: what `collect` returned; only names and sizes are looked at.
        vector: (p,), an array of PyTorch of the dtype and on the device of the parameters.

    Raises:
        ValueError: the vector is of another library, dtype, device or length.

    >>> import torch
    >>> from kronlin.sources import pytorch
    >>> model, x, y = torch.nn.Linear(3, 2), torch.ones(5, 3), torch.ones(5, 2)
    >>> layers, gradient, loss = pytorch.collect(model, torch.nn.MSELoss(), x, y)
    >>> pytorch.write_grad(model, layers, 2 * gradient)
    >>> wanted = torch.autograd.grad(torch.nn.MSELoss()(model(x), y), model.weight)[0]
    >>> bool(torch.allclose(model.weight.grad, 2 * wanted))
    True
    """
    named = dict(model.named_parameters())
    arrays = layout(model, layers).arrays(vector)
    for name, array in arrays.items():
        parameter = named[name]
        if type(array) is not type(parameter.data) or (array.dtype, array.device) != (
            parameter.dtype,
            parameter.device,
        ):
            raise ValueError(
                f"the vector must be a tensor of {parameter.dtype} on {parameter.device}, as parameter {name!r}: "
                "convert it first; no dtype or device is changed for you"
            )
    for name, array in arrays.items():
        named[name].grad = array.detach().reshape(named[name].shape).clone()
