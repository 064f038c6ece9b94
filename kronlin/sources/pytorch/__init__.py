"""The gradient source of PyTorch: layers, gradient and loss of a module. It imports PyTorch when it is called."""

from kronlin.sources.pytorch._batches import collect_batches, concatenate
from kronlin.sources.pytorch._collect import collect
from kronlin.sources.pytorch._layout import layout, write_grad
from kronlin.sources.pytorch._loss import Loss

__all__ = ["Loss", "collect", "collect_batches", "concatenate", "layout", "write_grad"]
