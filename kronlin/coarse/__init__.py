"""Coarse spaces: each function returns an operator Z (p, k) whose columns span the space."""

from kronlin.coarse._nicolaides import nicolaides
from kronlin.coarse._spectral import spectral

__all__ = ["nicolaides", "spectral"]
