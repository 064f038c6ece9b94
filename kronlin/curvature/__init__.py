"""Curvature: per-layer statistics, the exact Fisher matrix, and its block and Kronecker-factored approximations."""

from kronlin.curvature._diagonal_fisher import diagonal_fisher
from kronlin.curvature._ekfac import ekfac
from kronlin.curvature._fisher import block_diagonal_fisher, fisher
from kronlin.curvature._kfac import kfac
from kronlin.curvature._mini_block_fisher import mini_block_fisher
from kronlin.curvature._tkfac import tkfac
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics

__all__ = [
    "FisherRoot",
    "LayerStatistics",
    "block_diagonal_fisher",
    "diagonal_fisher",
    "ekfac",
    "fisher",
    "kfac",
    "mini_block_fisher",
    "tkfac",
]
