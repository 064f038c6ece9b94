"""Curvature: per-layer statistics, the exact Fisher matrix, and its Kronecker-factored approximations."""

from kronlin.curvature._fisher import block_diagonal_fisher, fisher
from kronlin.curvature._kfac import kfac
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics

__all__ = ["FisherRoot", "LayerStatistics", "block_diagonal_fisher", "fisher", "kfac"]
