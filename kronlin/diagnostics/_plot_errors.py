"""Pictures of approximation errors: bars, one row an approximation."""

from typing import TYPE_CHECKING, Any

from kronlin.arrays import optional_import

if TYPE_CHECKING:
    from kronlin.diagnostics.approximationerrors import ApproximationErrors


def plot_errors(errors: "ApproximationErrors") -> Any:
    """Draw the relative errors in both norms, and beside them the loss of Stein where it exists.

    Args:
        errors: what `approximation_error` returned.

    Raises:
        ImportError: matplotlib is missing; the message says what to install.
    """
    figures = optional_import("matplotlib.figure", extra="plot")
    rows = errors.rows[::-1]  # the first on top
    figure = figures.Figure(figsize=(11, 1.4 + 0.42 * len(rows)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for offset, key, label in ((0.2, "frobenius", "Frobenius"), (-0.2, "spectral", "spectral")):
        places = [place + offset for place in range(len(rows))]
        left.barh(places, [getattr(row, key) for row in rows], 0.4, label=label)
    left.set_yticks(range(len(rows)), [row.name for row in rows])
    left.set(xlabel="norm of F - K by that of F")
    left.legend(fontsize=8)
    known = [(place, row.stein) for place, row in enumerate(rows) if row.stein is not None]
    right.barh([place for place, _ in known], [stein for _, stein in known], 0.6, color="C2")
    for place, row in enumerate(rows):
        if row.stein is None:
            right.text(0.0, place, f" {row.remark}", va="center", fontsize=7)
    right.set(xlabel="loss of Stein" if errors.lam is None else f"loss of Stein, λ = {errors.lam:g}")
    return figure
