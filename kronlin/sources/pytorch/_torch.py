"""The door to PyTorch, which is opened when a function here is called and never by an import of kronlin."""

from typing import Any

from kronlin.arrays import optional_import

Tensor = Any
"""A `torch.Tensor`: the library may be missing while this file is read."""

Module = Any
"""A `torch.nn.Module`."""


def import_torch() -> Any:
    """PyTorch itself, or an error that says what to install."""
    return optional_import("torch", extra="torch")
