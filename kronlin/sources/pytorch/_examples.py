"""Columns carried back: for all examples at once, which must be independent for that, or for each alone."""

from collections.abc import Sequence
from typing import Any

from kronlin.sources.pytorch._torch import Tensor, import_torch


def carried_back(f: Tensor, edges: Sequence[Any], column: Tensor) -> Sequence[Tensor | None]:
    """The gradients of Σ f ∘ column at places in the graph of f, None where f does not depend on one."""
    grad = import_torch().autograd.grad
    return grad(f, edges, column, retain_graph=True, allow_unused=True) if edges else ()


def gradients_of_examples(f: Tensor, column: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """`(∂f_i/∂θ)ᵀ c_i` for each example and parameter, (n, size) each: n backward passes."""
    torch = import_torch()
    rows: list[list[Tensor]] = [[] for _ in parameters]
    for i in range(len(f)):
        single = torch.zeros_like(column)
        single[i] = column[i]
        found = torch.autograd.grad(f, parameters, single, retain_graph=True, allow_unused=True)
        for row, parameter, gradient in zip(rows, parameters, found, strict=True):
            row.append((torch.zeros_like(parameter) if gradient is None else gradient).flatten())
    return [torch.stack(row) for row in rows]


def require_rows(shapes: Sequence[tuple[str, tuple[int, ...]]], n: int) -> None:
    """Require that the first axis of what each layer makes can be parted among the n examples."""
    for name, shape in shapes:
        if shape[0] % n:
            raise ValueError(
                f"layer {name!r} has outputs {shape} for n = {n} examples, the first axis of the model's output: the "
                "first axis must be that of the examples (batch_first=True)"
            )


def require_independent(f: Tensor, edges: Sequence[Any], shapes: Sequence[tuple[str, tuple[int, ...]]]) -> None:
    """Require that a row of a layer acts on the output of its own example alone: one backward pass from every other.

    Rows (0, 1, ...) of the layer belong to the examples (0, 0, ..., 1, 1, ...), equally many to each.
    """
    torch, n = import_torch(), len(f)
    if n == 1:
        return
    chosen = torch.arange(n, device=f.device) % 2 == 1
    noise = torch.rand(f.shape, dtype=f.dtype, device=f.device)
    column = torch.where(chosen.reshape(n, *[1] * (f.ndim - 1)), noise, torch.zeros_like(noise))
    for (name, shape), gradient in zip(shapes, carried_back(f, edges, column), strict=True):
        if gradient is not None and bool(gradient.reshape(n, -1)[~chosen].count_nonzero()):
            raise ValueError(
                f"layer {name!r}, with outputs {shape}, mixes the n = {n} examples: the output of one depends on what "
                "the layer made of another; the first axis must be that of the examples (batch_first=True), and no "
                "layer may normalise over them"
            )
