"""The loss of a model on a batch, by the same names and checks as `collect`."""

from collections.abc import Mapping
from typing import Any

from kronlin.sources.pytorch._loss import Loss
from kronlin.sources.pytorch._losses import Other, loss_function
from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


def risk_of(model: Module, loss: Any, x: Any, y: Any) -> Tensor:
    """Return h = loss(model(x), y), a tensor without axes, with its graph where gradients are enabled.

    Args:
        model: a module that returns one tensor (n, ...).
        loss: as `collect` takes it.
        x: what the model takes: a tensor, a tuple of arguments or a mapping of named ones.
        y: labels as the loss takes them.

    Raises:
        ValueError: the loss is unknown, or outputs or labels are no tensors.
    """
    head = loss_function(loss)
    return head.value(in_full(run(model, x)), labels_for(head, y))


def run(model: Module, x: Any) -> Tensor:
    """The output, one tensor (n, ...)."""
    args, named = ((), x) if isinstance(x, Mapping) else (x if isinstance(x, tuple | list) else (x,), {})
    f = model(*args, **named)
    if not isinstance(f, import_torch().Tensor) or f.ndim == 0 or len(f) == 0:
        got = f"one of shape {tuple(f.shape)}" if hasattr(f, "shape") else type(f).__name__
        raise ValueError(
            f"the model must return one tensor (n, ...) with n >= 1, not {got}: wrap it in a module that does"
        )
    return f


def in_full(f: Tensor) -> Tensor:
    """Outputs in half precision, as autocast makes them, in single precision."""
    torch = import_torch()
    return f.float() if f.dtype in (torch.float16, torch.bfloat16) else f


def labels_for(head: Loss, y: Any) -> Any:
    """The labels, which are a tensor unless only a function of the user's reads them."""
    if not isinstance(y, import_torch().Tensor) and not isinstance(head, Other):
        raise ValueError(f"labels must be a tensor of PyTorch, not {type(y).__name__}: convert them by torch.as_tensor")
    return y
