"""Table: text, HTML, CSV and JSON of the same rows."""

import csv
import io
import json

from kronlin.diagnostics import Column, Table

TABLE = Table(
    [Column("name", "method"), Column("error", "error", "{:.2f}"), Column("steps", "steps")],
    [
        {"name": "a <b>", "error": 0.123456789, "steps": 7},
        {"name": "longer name", "error": float("inf"), "steps": None},
    ],
)


def test_text_aligns_the_columns_and_dashes_what_is_missing():
    lines = str(TABLE).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].split() == ["a", "<b>", "0.12", "7"]
    assert lines[3].split()[-1] == "–"


def test_html_escapes_names():
    text = TABLE._repr_html_()
    assert "a &lt;b&gt;" in text
    assert text.count("<tr>") == 3


def test_csv_keeps_all_digits():
    rows = list(csv.DictReader(io.StringIO(TABLE.to_csv())))
    assert rows[0] == {"name": "a <b>", "error": "0.123456789", "steps": "7"}
    assert rows[1]["steps"] == ""


def test_json_is_strict_json():
    rows = json.loads(TABLE.to_json(), parse_constant=lambda word: (_ for _ in ()).throw(ValueError(word)))
    assert rows[0]["error"] == 0.123456789
    assert rows[1]["error"] is None
