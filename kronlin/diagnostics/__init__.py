"""Diagnostics: preconditioners and approximations compared, as tables and pictures."""

from kronlin.diagnostics._compare import compare
from kronlin.diagnostics._plot import plot_comparisons
from kronlin.diagnostics.comparison import Comparison, Row
from kronlin.diagnostics.table import Column, Table

__all__ = ["Column", "Comparison", "Row", "Table", "compare", "plot_comparisons"]
