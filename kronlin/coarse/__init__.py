"""Coarse spaces: each function returns an operator Z (p, k) whose columns span the space."""

from kronlin.coarse._krylov import krylov
from kronlin.coarse._nicolaides import nicolaides
from kronlin.coarse._random import random
from kronlin.coarse._residual import residual
from kronlin.coarse._spectral import spectral

__all__ = ["krylov", "nicolaides", "random", "residual", "spectral"]
