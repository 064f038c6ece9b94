"""The bars of the speed questions, on rows that were made up."""

import ast

import pytest

from tests.benchmarks.loaded import part
from tests.house.tree import ROOT

bar_of = part("bar")
bars = part("bars")
words = part("words")


def row(who, ms, limit=None, kronlin=None, **facts):
    """What `contest.rows` makes of a measurement."""
    return {"question": "apply", **facts, "who": who, "ms": ms, "by limit": limit, "by kronlin": kronlin}


ROWS = [
    row("kronlin", 2.0, 1.25, 1.0, net="a", dtype="float32", vectors=1, residual=1e-6),
    row("CoLA (Cholesky)", 8.0, 5.0, 4.5, net="a", dtype="float32", vectors=1, residual=1e-4),
    row("PyLops", 6.0, 3.75, 3.0, net="a", dtype="float32", vectors=1),
    row("NumPy, a loop", 3.0, 1.9, 1.5, net="a", dtype="float32", vectors=1),
    row("limit: matrix products", 1.6, 1.0, 0.8, net="a", dtype="float32", vectors=1),
    row("lineax (not installed)", None, net="a", dtype="float32", vectors=1),
    row("kronlin", 24.0, 1.0, 1.0, net="a", dtype="float32", vectors=16),
]
ONE = bars.case("a")


def bar(value, bound=1.3, where=ONE, **more):
    """A bar for the rows."""
    return bar_of.Bar("work", "unit", "apply", value, bound, where, **more)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (bar_of.by_limit, 1.25),
        (bar_of.times_faster_than("CoLA"), 4.5),
        (bar_of.share_of("NumPy, a loop"), 1 / 1.5),
        (bar_of.share_of_best, 1 / 3.0),
        (bar_of.by_limit_of("CoLA"), 5.0),
        (bar_of.residual_by("CoLA"), 1e-2),
        (bar_of.largest("by limit"), 5.0),
    ],
)
def test_values(value, expected):
    assert bar(value).measured(ROWS) == pytest.approx(expected)


@pytest.mark.parametrize("value", [bar_of.times_faster_than("lineax"), bar_of.share_of("curvlinops")])
def test_who_was_not_there_is_not_measured(value):
    assert bar(value).measured(ROWS) is None


def test_times_for_one_and_for_sixteen_vectors():
    assert bar(bar_of.sixteen_by_one, where={"net": "a"}).measured(ROWS) == 12
    assert bar(bar_of.sixteen_by_one).measured(ROWS) is None
    assert bar(bar_of.largest("by limit"), where=bars.case("b")).measured(ROWS) is None


def test_a_case_that_was_not_measured_has_no_number():
    assert bar(bar_of.by_limit, where=bars.case("b")).measured(ROWS) is None
    assert bar(bar_of.share_of_best, where=bars.case("b")).measured(ROWS) is None


def test_best_peer_is_a_library_and_was_there():
    assert bar_of.best_peer(ROWS)["who"] == "PyLops"


def test_who_only_estimates_is_no_peer_to_beat():
    quick = row("curvlinops (stochastic)", 0.1, 0.1, 0.05, net="a", dtype="float32", vectors=1)
    assert bar_of.best_peer([quick, *ROWS])["who"] == "PyLops"
    assert bar_of.best_peer([quick]) is None


def test_the_worst_of_several_contests():
    slower = [{**one, "net": "b", "by kronlin": one["by kronlin"] and one["by kronlin"] / 4} for one in ROWS]
    assert bar_of.worst_share_of_best(ROWS + slower) == pytest.approx(4 / 3)
    assert bar_of.worst_share_of_best(ROWS[-1:]) is None


def test_bounds_are_kept_up_to_equality():
    below, above = bar(bar_of.by_limit), bar(bar_of.by_limit, at_least=True)
    assert [below.met(value) for value in (1.2, 1.3, 1.4)] == [True, True, False]
    assert [above.met(value) for value in (1.2, 1.3, 1.4)] == [False, True, True]


def test_bars_ask_questions_that_there_are():
    assert {one.question for one in bars.BARS} <= set(words.TITLES)


def test_questions_that_can_be_run_have_titles():
    files = (ROOT / "benchmarks" / "speed").glob("*.py")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in files}
    questions = {name for name, text in texts.items() if "__main__" in text} - {"tables"}
    questions = {name for name in questions if not name.endswith("_pictures")}
    assert questions <= set(words.TITLES)
    assert all(ast.get_docstring(ast.parse(texts[name])) for name in questions)
