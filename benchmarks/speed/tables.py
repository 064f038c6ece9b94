"""The tables of docs/speed.rst and benchmarks/results/speed.md, from whatever of the speed questions was measured."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pagetexts import write_texts

from speed import bars, words
from speed.bars import Bar, Row

RESULTS = Path(__file__).parents[1] / "results"
TARGET = Path(__file__).parents[2] / "docs" / "speed"
MARKDOWN = RESULTS / "speed.md"
CASE = ("dtype", "vectors")
"""Facts that make the columns of a table; one table for each combination of the others."""
PLAIN = ("question", "who", "ms", "by limit", "by kronlin")
NUMBERED = ("n", "examples", "K", "S", "L", "layers", "width", "rank")
"""Facts that are numbers; any other number is a measurement of its own."""

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


def is_fact(key: str, value: object) -> bool:
    """Whether an entry of a row says what was measured, and is no measurement."""
    return key not in PLAIN and (isinstance(value, str) or key in (*CASE, *NUMBERED))


def facts(row: Row, inside: bool) -> dict[str, Any]:
    """The facts that name a column, or those that name a table."""
    return {key: value for key, value in row.items() if is_fact(key, value) and (key in CASE) is inside}


def tables(rows: list[Row]) -> list[Table]:
    """The tables of a question: times and ratios, and further measurements in tables of their own."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(words.case(facts(row, inside=False)), []).append(row)
    found = []
    for caption, group in groups.items():
        found.append(pivot(caption, group, words.time_and_ratio))
        extra = {key: None for row in group for key, value in row.items() if key not in PLAIN and not is_fact(key, value)}
        for key in extra:
            if any(row.get(key) is not None for row in group):
                found.append(pivot(words.joined(caption, key), group, lambda row, key=key: words.number(row.get(key))))
    return found


def pivot(caption: str, rows: list[Row], cell: Any) -> Table:
    """Contestants from top to bottom, cases from left to right."""
    columns = list({words.case(facts(row, inside=True)): None for row in rows})
    contestants = list({row["who"]: None for row in rows})
    cells = {(row["who"], words.case(facts(row, inside=True))): cell(row) for row in rows}
    body = [[who, *(cells.get((who, column), "") for column in columns)] for who in contestants]
    return Table(caption, ["", *columns], [row for row in body if any(row[1:])])


def summary(records: Records) -> Table:
    """Every bar that was measured: what it asks, what was measured, beside the best peer and the limit."""
    lines = []
    for bar in bars.BARS:
        rows = records.get(bar.question, {"rows": []})["rows"]
        value = bar.measured(rows)
        if value is not None:
            lines.append(summary_row(bar, value, bar.rows(rows)))
    return Table("", ["work", "bar", "measured", "", "kronlin by limit", "best peer by kronlin"], lines)


def summary_row(bar: Bar, value: float, rows: list[Row]) -> list[str]:
    """A line of the summary."""
    limit, best = bars.by_limit(rows), bars.best_peer(rows)
    return [
        bar.work,
        f"{'≥' if bar.at_least else '≤'} {words.number(bar.bound)} {bar.unit}",
        words.number(value),
        "met" if bar.met(value) else "missed",
        words.number(limit),
        f"{best['who']} {words.number(best['by kronlin'])}" if best else "–",
    ]


def missed(records: Records) -> list[tuple[Bar, float]]:
    """The bars that were measured and missed, with their numbers."""
    found = []
    for bar in bars.BARS:
        value = bar.measured(records.get(bar.question, {"rows": []})["rows"])
        if value is not None and not bar.met(value):
            found.append((bar, value))
    return found


def texts(records: Records) -> dict[str, str]:
    """The files of docs/speed by name."""
    pictures = {question: [TARGET / name for name in names] for question, names in words.PICTURES.items()}
    shown = {question: [path.name for path in paths if path.exists()] for question, paths in pictures.items()}
    parts = [words.section(question, record, tables(record["rows"]), shown) for question, record in records.items()]
    return {
        "summary.inc": words.rst_table(summary(records)) + words.reasons(missed(records)),
        "questions.inc": "".join(parts),
    }


def markdown(records: Records) -> str:
    """The same tables as one file of Markdown."""
    parts = ["# Speed\n", words.GENERATED, words.markdown_table(summary(records))]
    for question, record in records.items():
        parts += [f"## {words.TITLES[question]}\n", words.facts_of(record["machine"]) + "\n"]
        parts += [words.markdown_table(table) for table in tables(record["rows"])]
    return "\n".join(parts)


def main() -> None:
    """Write all files."""
    records = load()
    write_texts(TARGET, texts(records))
    MARKDOWN.write_text(markdown(records), encoding="utf-8")


if __name__ == "__main__":
    main()
