"""The report of `kronlin compare`: files of numbers, one picture, one self-contained page."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kronlin.diagnostics import Column, Comparison, Table, plot_comparisons

Results = Sequence[tuple[float, Comparison]]

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>kronlin compare</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd; }}
th:first-child, td:first-child {{ text-align: left; }}
tr:hover {{ background: #f4f6f8; }}
img {{ max-width: 100%; }}
</style></head><body>
<h1>Two-level preconditioners of a Fisher matrix</h1>
{body}
</body></html>
"""


def joined_table(results: Results) -> Table:
    """All comparisons under each other, with the damping in front."""
    columns = [Column("damping", "damping", "{:g}"), *results[0][1].columns]
    rows = [{"damping": lam, **row._asdict()} for lam, comparison in results for row in comparison.rows]
    return Table(columns, rows)


def draw(results: Results) -> Any:
    """One row of pictures a damping, as a matplotlib Figure."""
    return plot_comparisons({f"λ = {lam:g}": comparison for lam, comparison in results})


def page(results: Results, introduction: Sequence[str], verdicts: Sequence[str]) -> str:
    """One HTML page that needs nothing beside it."""
    stream = io.BytesIO()
    draw(results).savefig(stream, format="png", dpi=110)
    picture = base64.b64encode(stream.getvalue()).decode()
    parts = [f"<p>{html.escape(line)}</p>" for line in introduction]
    for (lam, comparison), sentence in zip(results, verdicts, strict=True):
        parts += [f"<h2>λ = {lam:g}</h2>", comparison._repr_html_(), f"<p>{html.escape(sentence)}</p>"]
    parts.append(f'<h2>Convergence and spectra</h2><img alt="" src="data:image/png;base64,{picture}">')
    return _PAGE.format(body="\n".join(parts))


def write_text(path: str, text: str) -> None:
    """Write a file in UTF-8, by way of a neighbour, so that a crash leaves no half a file."""
    target = Path(path)
    neighbour = target.with_name(target.name + ".part")
    neighbour.write_text(text, encoding="utf-8")
    neighbour.replace(target)
