"""Pictures of docs/coarse_spaces.rst, from what coarse_spaces.py measured."""

from collections.abc import Callable

from coarse_spaces_tables import RECORD, TARGET, Record, mean
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

FAMILIES = {
    "largest eigenvectors": ("C0", "-", [f"largest {k}" for k in (1, 5, 10, 20, 40)]),
    "smallest eigenvectors": ("C3", "-", [f"smallest {k}" for k in (1, 5, 20)]),
    "Ritz vectors of A": ("C2", "-", ["ritz of A, 20", "ritz of A, 60"]),
    "random": ("0.5", "-", ["random 1", "random 20"]),
    "class gradients": ("C1", "", ["gradients"]),
    "rows, columns": ("C4", "", ["rows", "columns"]),
    "residual, Krylov": ("C5", "", ["residual", "krylov, constants", "krylov, residual"]),
}


def draw_sizes(record: Record) -> Figure:
    """Iterations against the number of columns, a panel for each net, at the middle damping."""
    figure, damping = Figure(figsize=(11, 7.5), layout="constrained"), record.dampings[1]
    panels = figure.subplots(2, 3, sharey=True)
    for net, axes in zip(record.names, panels.ravel(), strict=True):
        for fine, face, word in (("K-FAC", None, "on K-FAC"), ("none", "white", "alone")):
            style = {"K-FAC": "-", "none": "--"}[fine]
            level = record.rows[net, damping, fine, None, None]["iterations"]
            axes.axhline(level, color="k", linestyle=style, linewidth=0.8, label=f"no coarse space, {fine}")
            for family, (color, line, spaces) in FAMILIES.items():
                found = [record.rows[net, damping, fine, space, "A-DEF2"] for space in spaces]
                points = ([row[what] for row in found] for what in ("k", "iterations"))
                options = {"color": color, "markerfacecolor": face or color, "markersize": 4, "linewidth": 1.2}
                options["linestyle"] = style if line else ""
                axes.loglog(*points, marker="o", label=f"{family}, {word}", **options)
        axes.set(title=net, xlabel="columns of Z")
        axes.xaxis.set_minor_formatter(NullFormatter())
    for axes in panels[:, 0]:
        axes.set_ylabel("iterations")
    names = panels[0, 0].get_legend_handles_labels()
    figure.legend(*names, fontsize=8, loc="outside lower center", ncols=4, frameon=False)
    return figure


def draw_spaces(record: Record) -> Figure:
    """Iterations by those of plain CG, geometric means over all systems, a pair of bars for each space."""
    figure = Figure(figsize=(9, 6.6), layout="constrained")
    axes, spaces = figure.subplots(), record.spaces[::-1]
    for offset, fine, color, word in ((0.2, "K-FAC", "C0", "A-DEF2 on K-FAC"), (-0.2, "none", "C1", "deflation alone")):
        ratios = [record.ratio(fine, space, beside="none") for space in spaces]
        places = [place + offset for place in range(len(spaces))]
        means = [mean(values) for values in ratios]
        ends = [
            [m - min(v) for m, v in zip(means, ratios, strict=True)],
            [max(v) - m for m, v in zip(means, ratios, strict=True)],
        ]
        axes.barh(places, means, 0.4, xerr=ends, color=color, label=word, error_kw={"elinewidth": 0.8, "ecolor": "0.4"})
    axes.axvline(1.0, color="k", linewidth=0.8, label="plain CG")
    kfac = mean(record.ratio("K-FAC", None, None, beside="none"))
    axes.axvline(kfac, color="k", linestyle="--", linewidth=0.8, label="K-FAC alone")
    axes.set_yticks(range(len(spaces)), spaces)
    axes.set(
        xlabel="iterations by those of plain CG: geometric mean, smallest and largest", ylim=(-0.6, len(spaces) - 0.4)
    )
    axes.legend(loc="lower right")
    return figure


PICTURES: dict[str, Callable[[Record], Figure]] = {"sizes.png": draw_sizes, "spaces.png": draw_spaces}


def main() -> None:
    """Draw them all."""
    record = Record(RECORD.read_text(encoding="utf-8"))
    TARGET.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        draw(record).savefig(TARGET / name, dpi=75, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main()
