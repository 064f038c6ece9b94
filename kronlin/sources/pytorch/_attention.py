"""`nn.MultiheadAttention` with its projections made visible: they are no modules, so that no hook sees them."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


@contextmanager
def projections_apart(module: Module, note: Callable[[Module, Tensor, Tensor], None]) -> Iterator[None]:
    """Let the module project by plain products, of which `note(module, x, z)` hears, and attend as it always does.

    Queries, keys and values are W~ a for one weight of 3 d rows: each different input is multiplied by all of it, and
    the rows that belong to its part are used. What is left, attention with identities for projections, is done by a
    copy of the module; multiplying by ones and zeros changes no bit. `out_proj` is called as the module that it is.
    """
    functional = import_torch().nn.functional
    attention = _without_projections(module)

    def forward(query: Tensor, key: Tensor, value: Tensor, *args: Any, **named: Any) -> tuple[Tensor, Tensor | None]:
        projected: dict[int, Tensor] = {}
        for x in (query, key, value):
            if id(x) not in projected:
                projected[id(x)] = functional.linear(x, module.in_proj_weight, module.in_proj_bias)
                note(module, x, projected[id(x)])
        parts = [projected[id(x)].chunk(3, dim=-1)[j] for j, x in enumerate((query, key, value))]
        attention.train(module.training)
        attended, weights = attention.forward(*parts, *args, **named)
        return module.out_proj(attended), weights

    module.forward = forward
    try:
        yield
    finally:
        del module.forward


def _without_projections(module: Module) -> Module:
    """A copy that shares everything but its projections, which are identities."""
    torch, d = import_torch(), module.embed_dim
    weight = module.in_proj_weight
    eye = torch.eye(d, dtype=weight.dtype, device=weight.device)
    attention = copy.copy(module)
    attention._parameters = {**module._parameters, "in_proj_bias": None}
    attention._parameters["in_proj_weight"] = torch.nn.Parameter(eye.repeat(3, 1), requires_grad=False)
    attention._modules = {**module._modules}
    out = attention._modules["out_proj"] = torch.nn.Linear(d, d, bias=False, dtype=weight.dtype, device="meta")
    out.weight = torch.nn.Parameter(eye, requires_grad=False)
    return attention
