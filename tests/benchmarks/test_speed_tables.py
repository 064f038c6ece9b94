"""What docs/speed.rst and benchmarks/results/speed.md show is what the benchmarks measured."""

import pytest

from tests.benchmarks.loaded import part
from tests.benchmarks.test_speed_bars import ROWS
from tests.house.tree import ROOT

tables = part("tables")
words = part("words")
RECORDS = tables.load()
MACHINE = {"date": "2026-01-01", "python": "3.11", "processors": "2", "threads": "default", "numpy": "2.4"}


def test_committed_texts_are_those_of_the_measurements():
    for name, text in tables.texts(RECORDS).items():
        assert (tables.TARGET / name).read_text(encoding="utf-8") == text
    assert tables.MARKDOWN.read_text(encoding="utf-8") == tables.markdown(RECORDS)


def test_every_kept_result_is_that_of_a_question():
    kept = {path.stem.removeprefix("speed_") for path in tables.RESULTS.glob("speed_*.json")}
    assert kept == set(RECORDS)


def test_page_shows_the_texts_and_nothing_is_left_over():
    page = (ROOT / "docs" / "speed.rst").read_text(encoding="utf-8")
    pictures = {name for names in words.PICTURES.values() for name in names}
    assert all(f".. include:: speed/{name}" in page for name in tables.texts({}))
    assert {path.name for path in tables.TARGET.iterdir()} <= {*tables.texts({}), *pictures}
    assert all(path.stat().st_size <= 150_000 for path in tables.TARGET.iterdir())


def test_a_bar_that_is_missed_has_a_reason():
    silent = [f"{bar.work}: {value:.3g} {bar.unit}" for bar, value in tables.missed(RECORDS) if not bar.why]
    assert not silent, "say in benchmarks/speed/bars.py why"


def test_columns_are_cases_and_lines_are_contestants():
    (times, residuals) = tables.tables(ROWS)
    assert times.caption == "net a"
    assert times.head == ["", "float32, 1 vector", "float32, 16 vectors"]
    assert times.rows[0] == ["kronlin", "2 ms (1.25)", "24 ms (1)"]
    assert times.rows[-1] == ["lineax (not installed)", "–", ""]
    assert residuals.caption == "net a, residual"
    assert residuals.rows[0] == ["kronlin", "1.0e-06", "–"]


def test_a_single_case_has_its_measurements_side_by_side():
    (found,) = tables.tables(ROWS[:2])
    assert found.caption == "net a, float32, 1 vector"
    assert found.head == ["", "ms", "by limit", "by kronlin", "residual"]
    assert found.rows == [["kronlin", "2", "1.25", "1", "1.0e-06"], ["CoLA", "8", "5", "4.5", "–"]]


def test_summary_holds_measured_bars_against_bounds():
    found = tables.summary({"apply": {"rows": ROWS}})
    assert ["Apply, net a, 1 vector", "≤ 1.4 × limit", "1.25", "met", "1.25", "PyLops 3"] in found.rows
    assert not [line for line in found.rows if "net b" in line[0]]


def test_a_missed_bar_is_told_with_its_number():
    rows = [row | {"by limit": row["by limit"] and 2 * row["by limit"]} for row in ROWS]
    text = tables.texts({"apply": {"rows": rows, "machine": MACHINE}})["summary.inc"]
    assert "*Apply, net a, 1 vector*: 2.5 × limit, where 1.4 was asked." in text


def test_both_forms_show_the_same_cells():
    records = {"apply": {"rows": ROWS, "machine": MACHINE}}
    for text in (tables.texts(records)["questions.inc"], tables.markdown(records)):
        assert "Measured on 2026-01-01" in text
        assert all(cell in text for table in tables.tables(ROWS) for line in table.rows for cell in line)


def test_what_was_not_measured_is_not_shown(tmp_path):
    assert tables.load(tmp_path) == {}
    assert tables.texts({}) == {"summary.inc": words.NOT_YET, "questions.inc": ""}


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (1, "1"), (0.6405, "0.64"), (12.345, "12.3"), (1885.2, "1890"), (4e-5, "4.0e-05")],
)
def test_numbers(value, text):
    assert words.number(value) == text


def test_text_of_a_question_is_not_read_as_markup():
    assert words.escaped("the largest |r| of `A @ x`, linear_operator, x_") == (
        r"the largest \|r\| of `A @ x`, linear_operator, x\_"
    )
