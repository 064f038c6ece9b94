"""Gradient sources: each turns a model and data into `LayerStatistics`, the gradient and the risk."""

from kronlin.sources import jax, numpy_mlp, pytorch

__all__ = ["jax", "numpy_mlp", "pytorch"]
