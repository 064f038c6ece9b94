"""The tables of docs/speed.rst and benchmarks/results/speed.md, from whatever of the speed questions was measured."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pagetexts import write_texts

from speed import words
from speed.bar import Bar, Row, best_peer, by_limit
from speed.bars import BARS

RESULTS = Path(__file__).parents[1] / "results"
TARGET = Path(__file__).parents[2] / "docs" / "speed"
MARKDOWN = RESULTS / "speed.md"
PLAIN = ("question", "who", "ms", "by limit", "by kronlin")
BAR = ("what", "value", "bar", "met")
"""Entries of a row that carries a bar of its own."""
GROWN = ("x", "parameters", "ns per parameter", "by the fewest")
"""Entries of a row that is one of a line of sizes x."""
CASE = ("dtype", "scalar", "vectors", "n", "examples", "columns")
"""Facts that make the columns of a table; there is one table for each combination of the others, which are words."""

Records = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Table:
    """A caption, a head and rows of words."""

    caption: str
    head: list[str]
    rows: list[list[str]]


def load(folder: Path = RESULTS) -> Records:
    """What was measured, by question; a question that was not measured is left out."""
    found = {}
    for question in words.TITLES:
        path = folder / f"speed_{question}.json"
        if path.exists():
            found[question] = json.loads(path.read_text(encoding="utf-8"))
    return found


def facts(row: Row, inside: bool) -> dict[str, Any]:
    """The facts that name a column, or those that name a table; other numbers are measurements of their own."""
    known = (*PLAIN, *GROWN, *(BAR if "bar" in row else ()))
    return {
        key: value
        for key, value in row.items()
        if key not in known and (key in CASE if inside else key not in CASE and isinstance(value, str))
    }


def measurements(rows: list[Row]) -> list[str]:
    """What was measured beside the time, in the order of the entries."""
    said = {key for row in rows for inside in (True, False) for key in facts(row, inside)}
    keys = {key: None for row in rows for key, value in row.items() if value is not None}
    return [key for key in keys if key not in (*PLAIN, *BAR, *GROWN, *said)]


def tables(rows: list[Row]) -> list[Table]:
    """The tables of a question: times with ratios, and further measurements."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        caption = words.case(facts(row, inside=False))
        groups.setdefault(f"{row['question']}: {caption}" if "x" in row else caption, []).append(row)
    found = []
    for caption, group in groups.items():
        if len({words.case(facts(row, inside=True)) for row in group}) == 1:
            found.append(flat(caption, group))
        else:
            found.append(pivot(caption, group, words.time_and_ratio))
            found += [pivot(words.joined(caption, key), group, written(key)) for key in measurements(group)]
    return found


def written(key: str) -> Callable[[Row], str]:
    """A measurement of a row in words."""
    return lambda row: words.number(row.get(key))


def flat(caption: str, rows: list[Row]) -> Table:
    """One case: contestants from top to bottom, measurements from left to right."""
    ratios = [key for key in ("by limit", "by kronlin") if any(row[key] is not None for row in rows)]
    keys = ["ms", *ratios, *measurements(rows)]
    body = [[row["who"], *(words.number(row.get(key)) for key in keys)] for row in rows]
    return Table(words.joined(caption, words.case(facts(rows[0], inside=True))), ["", *keys], body)


def pivot(caption: str, rows: list[Row], cell: Callable[[Row], str]) -> Table:
    """Contestants or sizes from top to bottom, cases from left to right."""
    columns = list({words.case(facts(row, inside=True)): None for row in rows})
    lines = list({row.get("x", row["who"]): None for row in rows})
    cells = {(row.get("x", row["who"]), words.case(facts(row, inside=True))): cell(row) for row in rows}
    body = [[str(line), *(cells.get((line, column), "") for column in columns)] for line in lines]
    return Table(caption, ["", *columns], [row for row in body if any(row[1:])])


def summary(records: Records) -> Table:
    """Every bar that was measured: what it asks, what was measured, beside the best peer and the limit."""
    lines = []
    for bar in BARS:
        rows = records.get(bar.question, {"rows": []})["rows"]
        value = bar.measured(rows)
        if value is not None:
            lines.append(summary_row(bar, value, bar.rows(rows)))
    for record in records.values():
        lines += [own_bar(row) for row in record["rows"] if row.get("bar") is not None]
    return Table("", ["work", "bar", "measured", "", "kronlin by limit", "best peer by kronlin"], lines)


def summary_row(bar: Bar, value: float, rows: list[Row]) -> list[str]:
    """A line of the summary."""
    limit, best = by_limit(rows), best_peer(rows)
    return [
        bar.work,
        f"{'≥' if bar.at_least else '≤'} {words.number(bar.bound)} {bar.unit}",
        words.number(value),
        "met" if bar.met(value) else "missed",
        words.number(limit),
        f"{best['who']} {words.number(best['by kronlin'])}" if best else "–",
    ]


def own_bar(row: Row) -> list[str]:
    """A line of the summary, of a row that carries its bar."""
    work = words.joined(*(words.case(facts(row, inside)) for inside in (False, True)))
    verdict = "met" if row["met"] else "missed"
    return [work, f"{row['what']}: {words.number(row['bar'])}", words.number(row["value"]), verdict, "–", "–"]


def missed(records: Records) -> list[tuple[Bar, float]]:
    """The bars that were measured and missed, with their numbers."""
    found = []
    for bar in BARS:
        value = bar.measured(records.get(bar.question, {"rows": []})["rows"])
        if value is not None and not bar.met(value):
            found.append((bar, value))
    return found


def places(records: Records) -> dict[str, str]:
    """Where each question was measured; nothing where that is said of the one before."""
    said, found = "", {}
    for question, record in records.items():
        sentence = words.facts_of(record["machine"])
        found[question] = "" if sentence == said else sentence
        said = sentence
    return found


def texts(records: Records) -> dict[str, str]:
    """The files of docs/speed by name."""
    where, parts = places(records), []
    for question, record in records.items():
        pictures = [name for name in words.PICTURES.get(question, ()) if (TARGET / name).exists()]
        parts.append(words.section(question, where[question], tables(record["rows"]), pictures))
    return {
        "summary.inc": words.rst_table(summary(records)) + words.reasons(missed(records)),
        "questions.inc": "".join(parts),
    }


def markdown(records: Records) -> str:
    """The same tables as one file of Markdown."""
    where, parts = places(records), ["# Speed", words.GENERATED, words.markdown_table(summary(records))]
    for question, record in records.items():
        parts += [f"## {words.TITLES[question]}", where[question], *map(words.markdown_table, tables(record["rows"]))]
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def main() -> None:
    """Write all files."""
    records = load()
    write_texts(TARGET, texts(records))
    MARKDOWN.write_text(markdown(records), encoding="utf-8")


if __name__ == "__main__":
    main()
