"""Gradient sources: each turns a model and data into `LayerStatistics`, the gradient and the risk."""

from kronlin.sources import jax, numpy_mlp

__all__ = ["jax", "numpy_mlp"]
