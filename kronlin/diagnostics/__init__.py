"""Diagnostics: preconditioners and approximations compared, as tables and pictures."""

from kronlin.diagnostics._approximation_error import approximation_error
from kronlin.diagnostics._compare import compare
from kronlin.diagnostics._plot import plot_comparisons
from kronlin.diagnostics._plot_errors import plot_errors
from kronlin.diagnostics.approximationerrors import ApproximationErrors, ErrorRow
from kronlin.diagnostics.comparison import Comparison, Row
from kronlin.diagnostics.table import Column, NamedRows, Table

__all__ = [
    "ApproximationErrors",
    "Column",
    "Comparison",
    "ErrorRow",
    "NamedRows",
    "Row",
    "Table",
    "approximation_error",
    "compare",
    "plot_comparisons",
    "plot_errors",
]
