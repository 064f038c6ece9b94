"""Pictures of comparisons: convergence curves beside spectra."""

from typing import TYPE_CHECKING, Any

from kronlin.arrays import optional_import

if TYPE_CHECKING:
    from kronlin.diagnostics.comparison import Comparison, Row


def plot_comparisons(comparisons: "dict[str, Comparison]", most: int = 8) -> Any:
    """Draw one row of pictures for each comparison: residuals over CG steps, and Ritz values of M A.

    Args:
        comparisons: comparisons by title.
        most: at most so many rows of a comparison are drawn: the first two, then those with the fewest steps.

    Raises:
        ImportError: matplotlib is missing; the message says what to install.
    """
    figures = optional_import("matplotlib.figure", extra="plot")
    figure = figures.Figure(figsize=(12, 4.2 * len(comparisons)), layout="constrained")
    axes = figure.subplots(len(comparisons), 2, squeeze=False)
    drawn = {title: _shown(comparison, most) for title, comparison in comparisons.items()}
    names = list(dict.fromkeys(row.name for rows in drawn.values() for row in rows))
    for (title, comparison), (left, right) in zip(comparisons.items(), axes, strict=True):
        rows = drawn[title]
        for place, row in enumerate(rows):
            style = "--" if place < 2 else "-"
            color = f"C{names.index(row.name)}"  # the same in every picture
            left.semilogy(row.residuals, style, label=row.name, color=color, linewidth=1.4)
            heights = [len(rows) - place] * len(row.ritz_values)
            right.semilogx(row.ritz_values, heights, "|", color=color, markersize=9)
        left.axhline(comparison.rtol, color="0.7", linewidth=0.8)
        left.set(xlabel="step of CG", ylabel="‖b - A x‖ / ‖b‖", title=title)
        left.legend(fontsize=7, loc="upper right")
        right.set(xlabel="Ritz values of M A", title="spectrum, as Lanczos sees it")
        right.set_yticks(range(len(rows), 0, -1), [row.name for row in rows], fontsize=7)
        right.set_ylim(0.4, len(rows) + 0.6)
    return figure


def _shown(comparison: "Comparison", most: int) -> "list[Row]":
    drawn = [row for row in comparison.rows if row.iterations is not None]
    rest = sorted(drawn[2:], key=lambda row: (not row.converged, row.iterations or 0))
    return [*drawn[:2], *rest[: max(most - 2, 0)]]
