"""The bars of the speed questions, on rows that were made up."""

import ast

import pytest

from tests.benchmarks.loaded import part
from tests.house.tree import ROOT

bars = part("bars")
words = part("words")


def row(who, ms, limit=None, kronlin=None, **facts):
    """What `contest.rows` makes of a measurement."""
    return {"question": "apply", **facts, "who": who, "ms": ms, "by limit": limit, "by kronlin": kronlin}


ROWS = [
    row("kronlin", 2.0, 1.25, 1.0, net="a", dtype="float32", vectors=1, **{"residual": 1e-6}),
    row("CoLA", 8.0, 5.0, 4.5, net="a", dtype="float32", vectors=1),
    row("PyLops", 6.0, 3.75, 3.0, net="a", dtype="float32", vectors=1),
    row("NumPy, a loop", 3.0, 1.9, 1.5, net="a", dtype="float32", vectors=1),
    row("limit: matrix products", 1.6, 1.0, 0.8, net="a", dtype="float32", vectors=1),
    row("lineax (not installed)", None, net="a", dtype="float32", vectors=1),
    row("kronlin", 24.0, 1.0, 1.0, net="a", dtype="float32", vectors=16),
]
ONE = bars.case("a")


def bar(value, bound=1.3, where=ONE, **more):
    """A bar for the rows."""
    return bars.Bar("work", "unit", "apply", value, bound, where, **more)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (bars.by_limit, 1.25),
        (bars.times_faster_than("CoLA"), 4.5),
        (bars.share_of("NumPy, a loop"), 1 / 1.5),
        (bars.share_of_best, 1 / 3.0),
        (bars.fact("residual"), 1e-6),
    ],
)
def test_values(value, expected):
    assert bar(value).measured(ROWS) == pytest.approx(expected)


@pytest.mark.parametrize("value", [bars.times_faster_than("lineax"), bars.share_of("curvlinops")])
def test_who_was_not_there_is_not_measured(value):
    assert bar(value).measured(ROWS) is None


def test_a_case_that_was_not_measured_has_no_number():
    assert bar(bars.by_limit, where=bars.case("b")).measured(ROWS) is None
    assert bar(bars.share_of_best, where=bars.case("b")).measured(ROWS) is None


def test_best_peer_is_a_library_and_was_there():
    assert bars.best_peer(ROWS)["who"] == "PyLops"


def test_bounds_are_kept_up_to_equality():
    below, above = bar(bars.by_limit), bar(bars.by_limit, at_least=True)
    assert [below.met(value) for value in (1.2, 1.3, 1.4)] == [True, True, False]
    assert [above.met(value) for value in (1.2, 1.3, 1.4)] == [False, True, True]


def test_bars_ask_questions_that_there_are():
    assert {one.question for one in bars.BARS} <= set(words.TITLES)


def test_questions_that_can_be_run_have_titles():
    files = (ROOT / "benchmarks" / "speed").glob("*.py")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in files}
    questions = {name for name, text in texts.items() if "__main__" in text} - {"tables"}
    assert questions <= set(words.TITLES)
    assert all(ast.get_docstring(ast.parse(texts[name])) for name in questions)
