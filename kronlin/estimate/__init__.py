"""Stochastic estimates of what only products with an operator tell: trace, diagonal, log-determinant."""

from kronlin.estimate._diagonal import diagonal
from kronlin.estimate._logdet import logdet
from kronlin.estimate._trace import trace
from kronlin.estimate.result import Estimate

__all__ = ["Estimate", "diagonal", "logdet", "trace"]
