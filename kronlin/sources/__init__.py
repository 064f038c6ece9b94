"""Gradient sources: each turns a model and data into `LayerStatistics`, the gradient and the risk."""

from kronlin.sources import numpy_mlp, pytorch

__all__ = ["numpy_mlp", "pytorch"]
