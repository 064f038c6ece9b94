"""ApproximationErrors: what `approximation_error` found, one row an approximation."""

from typing import Any, NamedTuple

from kronlin.diagnostics._plot_errors import plot_errors
from kronlin.diagnostics.table import Column, NamedRows

COLUMNS = (
    Column("name", "approximation"),
    Column("frobenius", "Frobenius", "{:.3g}"),
    Column("spectral", "spectral", "{:.3g}"),
    Column("stein", "Stein loss", "{:.4g}"),
    Column("kl", "KL", "{:.4g}"),
    Column("remark", "remark"),
)


class ErrorRow(NamedTuple):
    """One approximation K of F; None where a measure does not exist."""

    name: str
    frobenius: float
    """‖F - K‖ / ‖F‖ in the Frobenius norm."""
    spectral: float
    """‖F - K‖₂ / ‖F‖₂ in the spectral norm."""
    stein: float | None
    """tr(B⁻¹ A) - log det(B⁻¹ A) - p for A = F + λ I and B = K + λ I."""
    kl: float | None
    """Half of it: the divergence of the normal distributions with the precision matrices B and A."""
    lowest: float | None
    """The lowest eigenvalue of K if it is negative."""
    remark: str | None
    """What K or F lacks."""


class ApproximationErrors(NamedRows[ErrorRow]):
    """The table of `approximation_error`, to print, to show in a notebook, to draw, or to read row by row (`rows`)."""

    def __init__(self, rows: list[ErrorRow], lam: float | None) -> None:
        self.lam = lam
        super().__init__(COLUMNS, rows, [row._asdict() for row in rows])

    @property
    def nearest(self) -> ErrorRow:
        """The row with the smallest Frobenius error."""
        return min(self.rows, key=lambda row: row.frobenius)

    def plot(self) -> Any:
        """Draw bars of the errors beside bars of the loss of Stein; returns a matplotlib Figure."""
        return plot_errors(self)
