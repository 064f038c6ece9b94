"""What docs/training.rst shows is what the benchmarks measured, and what it says is so."""

import re

import pytest

from tests.benchmarks.loaded import script
from tests.house.tree import ROOT

tables = script("training_tables")
RECORD = tables.load()
PAGE = tables.PAGE.read_text(encoding="utf-8")
TEXTS = tables.texts(RECORD)
CURVES = tables.curves()


def ratio(name, rows, what):
    """What was measured."""
    return next(row[what] for row in RECORD[rows] if name in row.values())


@pytest.mark.parametrize("name", TEXTS)
def test_committed_text_is_that_of_the_measurements(name):
    assert (tables.TARGET / name).read_text(encoding="utf-8") == TEXTS[name]


def test_page_shows_every_file_and_names_numbers_only_by_name():
    files = {path.name for path in tables.TARGET.iterdir()}
    assert files == {*TEXTS, "curves.png"}
    assert set(re.findall(r"[/ ]training/([\w.]+)", PAGE)) == files
    assert (tables.TARGET / "curves.png").stat().st_size <= 150_000
    assert set(re.findall(r"\|([^|\n]+)\|", PAGE)) <= set(tables.numbers(RECORD))


def test_costs_are_below_their_bars():
    for name in ("collect, empirical", "collect, mc"):
        assert ratio(name, tables.COLLECT, "ratio") <= 1.5
    assert ratio("factored inverses, a loop, mean of 100", tables.STEP, "by Adam") <= 2.5
    assert ratio("exact eigenbasis, a loop, mean of 100", tables.STEP, "by Adam") <= 3.3


@pytest.mark.parametrize("method", ["K-FAC", "two-level K-FAC, additive"])
def test_a_third_of_the_epochs_from_every_seed(method):
    for losses, goal in zip(CURVES[method], CURVES["Adam"], strict=True):
        assert len(goal) == 51
        assert min(losses[:17]) <= goal[-1]


def test_what_the_page_says_in_words():
    best = {row["method"]: row for row in tables.best(RECORD)}
    assert max(map(int, best["two-level K-FAC, multiplicative"]["epochs to Adam's"].split())) > 50 / 3
    assert best["two-level K-FAC, additive"]["loss"] > 0.99 * best["K-FAC"]["loss"]
    seconds = {method: float(tables.numbers(RECORD)[f"seconds, {method}"]) for method in ("Adam", "K-FAC")}
    assert 0.5 < seconds["K-FAC"] / seconds["Adam"] < 2


def test_curves_are_those_of_the_best_settings():
    for row in tables.best(RECORD):
        losses = [each[row["epoch"]] for each in CURVES[row["method"]]]
        assert sum(losses) / len(losses) == pytest.approx(row["loss"], abs=1e-3)


@pytest.mark.parametrize("method", ["Adam", "K-FAC"])
def test_two_epochs_are_run_again(method, monkeypatch):
    """The numbers are still those of the code, but for labels that are drawn another way where outputs round otherwise."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = script("autoencoder_training")
    setting = next(row["setting"] for row in tables.best(RECORD) if row["method"] == method)
    make, batch, _, _ = module.grids()[method][setting]
    losses, _ = module.curve(make, 0, batch, 2)
    assert losses == pytest.approx(CURVES[method][0][:3], rel=0.03)
