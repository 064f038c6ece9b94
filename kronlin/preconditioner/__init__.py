"""The stateful side: what a training loop holds, statistics in and preconditioned gradients out."""

from kronlin.preconditioner.clock import Clock
from kronlin.preconditioner.failures import Failure
from kronlin.preconditioner.preconditioner import Preconditioner

__all__ = ["Clock", "Failure", "Preconditioner"]
