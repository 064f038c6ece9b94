"""Gradient sources: each turns a model and data into `LayerStatistics`, the gradient and the risk."""

from kronlin.sources import files, jax, numpy_mlp, pytorch
from kronlin.sources._source import Source

__all__ = ["Source", "files", "jax", "numpy_mlp", "pytorch"]
