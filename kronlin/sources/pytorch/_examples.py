"""Columns carried back: for all examples at once, which must be independent for that, or for each alone."""

from collections.abc import Sequence
from typing import Any

from kronlin.sources.pytorch._capture import Calls
from kronlin.sources.pytorch._rowwise import rowwise
from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


def carried_back(f: Tensor, edges: Sequence[Any], column: Tensor) -> Sequence[Tensor | None]:
    """The gradients of Σ f ∘ column at places in the graph of f, None where f does not depend on one."""
    grad = import_torch().autograd.grad
    return grad(f, edges, column, retain_graph=True, allow_unused=True) if edges else ()


def gradients_of_examples(f: Tensor, column: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """`(∂f_i/∂θ)ᵀ c_i` for each example and parameter, (n, size) each: n backward passes."""
    torch = import_torch()
    rows: list[list[Tensor]] = [[] for _ in parameters]
    column = column.to(f.dtype)
    for i in range(len(f)):
        single = torch.zeros_like(column)
        single[i] = column[i]
        found = torch.autograd.grad(f, parameters, single, retain_graph=True, allow_unused=True)
        for row, parameter, gradient in zip(rows, parameters, found, strict=True):
            row.append((torch.zeros_like(parameter) if gradient is None else gradient).flatten())
    return [torch.stack(row) for row in rows]


def mixing(f: Tensor, calls: Calls, check: bool) -> dict[Module, str]:
    """The modules whose outputs are not example by example, with the reason.

    Rows (0, 1, ...) of an output belong to the examples (0, 0, ..., 1, 1, ...), equally many to each, and must act on
    the output of their own example alone. If `check`, that is seen from the steps that made f where they are known to
    do so; otherwise one backward pass from every other example tests it.
    """
    torch, n = import_torch(), len(f)
    every = [(module, call) for module, its in calls.items() for call in its]
    reasons = {
        module: f"has outputs {call.shape}, whose first axis is not that of the n = {n} examples"
        for module, call in every
        if call.shape[0] % n
    }
    if not check or n == 1 or rowwise(f):
        return reasons
    every = [(module, call) for module, call in every if module not in reasons]
    chosen = torch.arange(n, device=f.device) % 2 == 1
    noise = torch.rand(f.shape, dtype=f.dtype, device=f.device)
    column = torch.where(chosen.reshape(n, *[1] * (f.ndim - 1)), noise, torch.zeros_like(noise))
    found = carried_back(f, [call.edge for _, call in every], column)
    for (module, call), gradient in zip(every, found, strict=True):
        if gradient is not None and bool(gradient.reshape(n, -1)[~chosen].count_nonzero()):
            reasons[module] = f"has outputs {call.shape} that mix the n = {n} examples"
    return reasons
