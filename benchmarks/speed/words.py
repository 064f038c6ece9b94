"""How tables, numbers and cases of the speed questions are written, in reStructuredText and in Markdown."""

import ast
import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speed.bars import Bar, Row
    from speed.tables import Table

TITLES = {
    "apply": "Apply a Kronecker operator",
    "setup": "Set up a damped inverse",
    "apply_inverse": "Apply a damped inverse",
    "fisher_product": "Multiply with the exact Fisher matrix",
    "fisher_solve": "Solve with the exact Fisher matrix",
    "scalars": "Trace, determinant and diagonal",
    "importing": "Import",
    "two_level": "Two-level preconditioners",
    "krylov": "Conjugate gradients",
    "growth": "How cost grows",
    "gpu": "On a GPU",
}
"""The questions in the order in which they are shown; each is a file of this folder."""

PICTURES = {"growth": ("layers.png", "widths.png")}
DESCRIBED = {
    "layers.png": "Time per parameter of an application, by the number of equal layers",
    "widths.png": "Time of an application by the width of the layers, and that of matrix products alone",
}
GENERATED = "Written by `python -m speed.tables`; docs/speed.rst says how to read it."
NO_VERSIONS = ("date", "python", "processor", "processors", "load", "threads")
NOT_YET = "*Not measured yet.*\n"


def number(value: float | None) -> str:
    """Three digits, without an exponent where few zeros do; what there is none of is a dash."""
    if value is None:
        return "–"
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.1e}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):.0f}"


def time_and_ratio(row: "Row") -> str:
    """Milliseconds, and by the limit; where there is no limit, by kronlin's time."""
    if row["ms"] is None:
        return "–"
    ratio = row["by kronlin"] if row["by limit"] is None else row["by limit"]
    return f"{number(row['ms'])} ms" + ("" if ratio is None else f" ({number(ratio)})")


def case(facts: dict[str, Any]) -> str:
    """Facts in words: "net a, float32, 16 vectors"."""
    return ", ".join(said(key, value) for key, value in facts.items() if value not in ("", None))


def said(key: str, value: object) -> str:
    """A fact in words."""
    if key == "vectors":
        return f"{value} vector" + ("" if value == 1 else "s")
    return str(value) if key in ("dtype", "work", "form", "what") else f"{key} {value}"


def joined(*parts: str) -> str:
    """The parts that say something."""
    return ", ".join(part for part in parts if part)


def facts_of(machine: dict[str, str]) -> str:
    """The machine, the versions and the day in one sentence."""
    versions = ", ".join(f"{name} {version}" for name, version in machine.items() if name not in NO_VERSIONS)
    return (
        f"Measured on {machine['date']} on {machine.get('processor', 'an unknown processor')} "
        f"({machine['processors']} processors; threads of BLAS: {machine['threads']}), "
        f"Python {machine['python']}, {versions}."
    )


def question_of(question: str) -> list[str]:
    """What the file of a question says of it, in paragraphs, without how it is run."""
    text = ast.get_docstring(ast.parse(Path(__file__).with_name(f"{question}.py").read_text(encoding="utf-8")))
    return [one for one in str(text).split("\n\n") if not one.startswith("Run ")]


def escaped(text: str) -> str:
    """Text in which no bar, star or underscore is read as markup; what is in backticks stays."""
    parts = re.split(r"(`+[^`]*`+)", text)
    parts[::2] = [re.sub(r"[|*]|(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def rst_table(table: "Table") -> str:
    """A table as a directive; one without rows says that nothing was measured."""
    if not table.rows:
        return NOT_YET
    stream = io.StringIO()
    rows = [table.head, *table.rows]
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([map(escaped, row) for row in rows])
    body = "".join(f"   {line}\n" for line in stream.getvalue().splitlines())
    return f".. csv-table:: {escaped(table.caption)}".rstrip() + f"\n   :header-rows: 1\n\n{body}\n"


def markdown_table(table: "Table") -> str:
    """A table of Markdown below its caption."""
    if not table.rows:
        return NOT_YET
    rows = [table.head, ["---"] * len(table.head), *table.rows]
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join([*([f"**{table.caption}**", ""] if table.caption else []), *lines, ""])


def section(question: str, where: str, found: list["Table"], pictures: list[str]) -> str:
    """What docs/speed.rst shows of a question: what it asks, where it was measured, tables and pictures."""
    title = TITLES[question]
    parts = [f"{title}\n{'~' * len(title)}\n", *(escaped(one) + "\n" for one in question_of(question))]
    parts += [f"*{escaped(where)}*\n"] if where else []
    parts += map(rst_table, found)
    parts += [f".. figure:: speed/{name}\n   :alt: {DESCRIBED[name]}\n\n   {DESCRIBED[name]}.\n" for name in pictures]
    return "\n".join(parts) + "\n"


def reasons(missed: list[tuple["Bar", float]]) -> str:
    """The bars that are missed, each with its number and the reason."""
    items = [
        f"* *{bar.work}*: {number(value)} {bar.unit}, where {number(bar.bound)} was asked. {escaped(bar.why)}".rstrip()
        for bar, value in missed
    ]
    return "\n".join(["What is missed, and why:", "", *items, ""]) if items else ""
