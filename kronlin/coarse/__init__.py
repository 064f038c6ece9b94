"""Coarse spaces: each function returns an operator Z (p, k) whose columns span the space."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kronlin.coarse._aggregation import aggregation
from kronlin.coarse._gradients import gradients
from kronlin.coarse._krylov import krylov
from kronlin.coarse._mismatch import mismatch
from kronlin.coarse._nicolaides import nicolaides
from kronlin.coarse._random import random
from kronlin.coarse._residual import residual
from kronlin.coarse._spectral import spectral

if TYPE_CHECKING:
    from kronlin.coarse._ritz import ritz

__all__ = [
    "aggregation",
    "gradients",
    "krylov",
    "mismatch",
    "nicolaides",
    "random",
    "residual",
    "ritz",
    "spectral",
]


def __getattr__(name: str) -> Any:
    """Open the one space that needs the Krylov solvers when it is asked for: the import stays light."""
    if name == "ritz":
        return import_module("kronlin.coarse._ritz").ritz
    raise AttributeError(f"module 'kronlin.coarse' has no attribute {name!r}")
