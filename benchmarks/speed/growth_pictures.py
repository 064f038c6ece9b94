"""Pictures of docs/speed.rst: how the time of an application grows, from the results that `speed.growth` keeps."""

import json
from pathlib import Path
from typing import Any

from harness import RESULTS
from matplotlib.figure import Figure

TARGET = Path(__file__).parents[2] / "docs" / "speed"
LABELS = {
    # question: what is drawn, its name, and the name of the other axis
    "layers": ("ns per parameter", "nanoseconds a parameter", "equal layers"),
    "widths": ("by limit", "time by that of the limit", "size of both factors of one block"),
}


def draw(rows: list[dict[str, Any]], question: str) -> Figure:
    """A line for each shape, dtype and number of vectors."""
    key, vertical, horizontal = LABELS[question]
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    lines: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for row in rows:
        if row["question"] == question:
            lines.setdefault((row["net"], row["dtype"], row["vectors"]), []).append((row["x"], row[key]))
    for (shape, dtype, count), points in lines.items():
        style = "-" if count == 1 else "--"
        name = f"{shape}, {dtype}, {'1 vector' if count == 1 else f'{count} vectors'}"
        axes.plot(*zip(*points, strict=True), style, marker="o", markersize=3, label=name)
    if question == "widths":
        axes.axhline(1, color="grey", linestyle=":", label="limit: matrix products")
    ticks = sorted({place for points in lines.values() for place, _ in points})
    axes.set(xscale="log", xlabel=horizontal, ylabel=vertical)
    axes.set_xticks(ticks, [str(tick) for tick in ticks], minor=False)
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    return figure


def main() -> None:
    """Draw both."""
    rows = json.loads((RESULTS / "speed_growth.json").read_text())["rows"]
    TARGET.mkdir(exist_ok=True)
    for question in LABELS:
        draw(rows, question).savefig(TARGET / f"{question}.png", dpi=80, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main()
