"""What the pages with measurements share: tables as files, and numbers that their sentences name."""

import csv
import io
from pathlib import Path


def texts_of(page: Path, tables: dict[str, list[list[str]]], numbers: dict[str, str]) -> dict[str, str]:
    """The files of text by name: a .csv for each table, and the numbers that the page names as substitutions."""
    text = page.read_text(encoding="utf-8")
    named = [f".. |{name}| replace:: {value}\n" for name, value in numbers.items() if f"|{name}|" in text]
    return {**{f"{name}.csv": _csv_text(rows) for name, rows in tables.items()}, "numbers.txt": "".join(named)}


def write_texts(target: Path, texts: dict[str, str]) -> None:
    """Print all files and write them into the folder of the page."""
    target.mkdir(exist_ok=True)
    for name, text in texts.items():
        print(f"{name}\n{text}")
        (target / name).write_text(text, encoding="utf-8")


def _csv_text(rows: list[list[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
