"""Coarse spaces: each function returns an operator Z (p, k) whose columns span the space."""

from kronlin.coarse._aggregation import aggregation
from kronlin.coarse._gradients import gradients
from kronlin.coarse._krylov import krylov
from kronlin.coarse._mismatch import mismatch
from kronlin.coarse._nicolaides import nicolaides
from kronlin.coarse._random import random
from kronlin.coarse._residual import residual
from kronlin.coarse._ritz import ritz
from kronlin.coarse._spectral import spectral

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
