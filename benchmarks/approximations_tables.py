"""Tables of docs/approximations.rst, and the numbers that its text names, from what approximations.py measured."""

import json
from pathlib import Path
from typing import Any

from pagetexts import texts_of, write_texts

RECORD = Path(__file__).parent / "results" / "approximations.json"
TARGET = Path(__file__).parents[1] / "docs" / "approximations"
PAGE = TARGET.with_suffix(".rst")

Record = list[dict[str, Any]]


def load() -> Record:
    """What was measured, a dictionary for each net."""
    nets: Record = json.loads(RECORD.read_text(encoding="utf-8"))["nets"]
    return nets


def write(value: float | None) -> str:
    """Three digits; rounding error is 0, and what there is none of a dash."""
    return "–" if value is None else "0" if abs(value) < 1e-10 else f"{value:.3g}"


def table(record: Record, *what: str) -> list[list[str]]:
    """Measures of every approximation that has them, on every net."""
    names = [name for name, row in record[0]["rows"].items() if set(what) <= set(row)]
    return [["", *(net["net"] for net in record)]] + [
        [name, *(" / ".join(write(net["rows"][name][each]) for each in what) for net in record)] for name in names
    ]


def nets(record: Record) -> list[list[str]]:
    """The nets and the sizes of their Fisher matrices."""
    head = ["net", "layers", "loss", "steps", "examples n", "p", "columns of U", "λ_max(F)"]
    keys = ("net", "words", "loss", "steps", "n", "p", "columns")
    return [head] + [[*(str(net[key]) for key in keys), write(net["largest"])] for net in record]


def texts(record: Record) -> dict[str, str]:
    """The files of text by name."""
    found = {"nets": nets(record)}
    found |= {what: table(record, what) for what in ("frobenius", "spectral", "blocks", "stein")}
    found["damped"] = table(record, "damped", "damped stein")
    lowest = table(record, "lowest")
    found["lowest"] = [lowest[0], *(row for row in lowest if set(row[1:]) != {"–"} and row[0])]
    return texts_of(PAGE, found, numbers(record))


def numbers(record: Record) -> dict[str, str]:
    """The numbers that the text may name: λ / λ_max(F), and by measure, approximation and net."""
    found = {
        f"{what}, {name}, {net['net']}": write(value)
        for net in record
        for name, row in net["rows"].items()
        for what, value in row.items()
    }
    return {"damping": write(record[0]["damping"]), **found}


def main() -> None:
    """Write all files."""
    write_texts(TARGET, texts(load()))


if __name__ == "__main__":
    main()
