"""Comparison: what `compare` found, one row a preconditioner."""

from typing import Any, NamedTuple

from kronlin.diagnostics._plot import plot_comparisons
from kronlin.diagnostics.table import Column, NamedRows

COLUMNS = (
    Column("name", "preconditioner"),
    Column("error", "step error", "{:.3g}"),
    Column("scaled_error", "best scaled", "{:.3f}"),
    Column("cosine", "cosine", "{:.3f}"),
    Column("condition", "cond(MA)", "{:.4g}"),
    Column("iterations", "CG its", "{}"),
    Column("setup", "set-up ms", "{:.1f}"),
    Column("apply", "apply ms", "{:.2f}"),
)


class Row(NamedTuple):
    """One preconditioner; times in milliseconds, None where a quantity has no meaning."""

    name: str
    error: float
    """‖M b - A⁻¹ b‖_A / ‖A⁻¹ b‖_A."""
    scaled_error: float
    """The same for the best multiple of M b; at most 1, the error of the zero step."""
    cosine: float
    """Cosine of the angle between M b and A⁻¹ b."""
    condition: float | None
    """Condition number of M A, on the complement of its null space."""
    iterations: int | None
    """Steps of CG (or deflated CG) to the tolerance."""
    setup: float | None
    apply: float
    converged: bool
    residuals: tuple[float, ...]
    """Relative residual norms, one a step."""
    ritz_values: tuple[float, ...]
    """Ritz values of M A, from the Lanczos run that found the condition number."""


class Comparison(NamedRows[Row]):
    """The table of `compare`, to print, to show in a notebook, to draw, or to read row by row (`rows`)."""

    def __init__(self, rows: list[Row], rtol: float) -> None:
        self.rtol = rtol
        super().__init__(COLUMNS, rows, [_record(row) for row in rows])

    @property
    def fastest(self) -> Row | None:
        """The row with the fewest iterations among those that converged."""
        solved = [row for row in self.rows if row.iterations is not None and row.converged]
        return min(solved, key=lambda row: row.iterations or 0) if solved else None

    @property
    def nearest(self) -> Row:
        """The row whose single application comes nearest to the solution in the A-norm."""
        return min(self.rows, key=lambda row: row.error)

    def plot(self, **options: Any) -> Any:
        """Draw convergence curves and spectra; returns a matplotlib Figure (see `plot_comparisons`)."""
        return plot_comparisons({"": self}, **options)


def _record(row: Row) -> dict[str, Any]:
    record = row._asdict()
    if row.iterations is not None and not row.converged:
        record["iterations"] = f">{row.iterations}"
    return record
