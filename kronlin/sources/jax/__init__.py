"""The gradient source of JAX: layers, gradient and loss of a pure function. It imports JAX when it is called."""

from kronlin.sources.jax._collect import collect, collect_arrays
from kronlin.sources.jax._layout import layout, to_tree
from kronlin.sources.jax._loss import Loss

__all__ = ["Loss", "collect", "collect_arrays", "layout", "to_tree"]
