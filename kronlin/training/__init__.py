"""Thin wrappers for training loops: any optimiser of PyTorch, and the transformations of optax for JAX."""

from kronlin.training._precondition import GradientTransformation, precondition
from kronlin.training.optimizer import PreconditionedOptimizer

__all__ = ["GradientTransformation", "PreconditionedOptimizer", "precondition"]
