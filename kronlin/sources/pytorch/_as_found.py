"""A model is left as it was found: buffers, flags and random numbers, also when something fails in between."""

from collections.abc import Iterator
from contextlib import contextmanager

from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


@contextmanager
def as_found(model: Module) -> Iterator[None]:
    """Let the model run with gradients, and put back its buffers and training flags and all random generators.

    Gradients of parameters are asked for by `torch.autograd.grad`, which does not touch their `.grad`.
    """
    torch = import_torch()
    flags = [(module, module.training) for module in model.modules()]
    buffers = [
        (m, name, b, b._version, b.clone()) for m in model.modules() for name, b in m.named_buffers(recurse=False)
    ]
    devices = sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})
    with torch.random.fork_rng(devices), differentiable():
        try:
            yield
        finally:
            for module, training in flags:
                module.training = training
            for module, name, buffer, version, copy in buffers:
                _put_back(module, name, buffer, version, copy)


def _put_back(module: Module, name: str, buffer: Tensor, version: int, copy: Tensor) -> None:
    """The same tensor with the same entries."""
    if buffer._version != version:
        with import_torch().no_grad():
            buffer.copy_(copy)
    if getattr(module, name) is not buffer:
        setattr(module, name, buffer)


@contextmanager
def differentiable() -> Iterator[None]:
    """Enable gradients, and let autocast cast a weight anew at each use, so that uses can be counted in the graph."""
    torch = import_torch()
    before = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        with torch.enable_grad():
            yield
    finally:
        torch.set_autocast_cache_enabled(before)
