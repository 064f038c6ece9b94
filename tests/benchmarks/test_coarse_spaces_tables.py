"""What docs/coarse_spaces.rst shows is what the benchmark measured, and what it says is so."""

import re

import pytest

from tests.benchmarks.loaded import script
from tests.house.tree import ROOT

tables = script("coarse_spaces_tables")
RECORD = tables.Record(tables.RECORD.read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "coarse_spaces.rst").read_text(encoding="utf-8")
TEXTS = tables.texts(RECORD)


@pytest.mark.parametrize("name", TEXTS)
def test_committed_text_is_that_of_the_measurements(name):
    assert (tables.TARGET / name).read_text(encoding="utf-8") == TEXTS[name]


def test_every_measured_case_is_there():
    for fine in ("none", "K-FAC"):
        for space in RECORD.spaces:
            assert len(RECORD.of("iterations", fine, space, "A-DEF2")) == len(RECORD.systems)


def test_no_file_is_left_over_and_pictures_are_small():
    files = {path.name for path in tables.TARGET.iterdir()}
    assert files == {*TEXTS, "sizes.png", "spaces.png"}
    assert all(path.stat().st_size < 150_000 for path in tables.TARGET.glob("*.png"))


def test_page_shows_every_file_and_names_numbers_only_by_name():
    shown = set(re.findall(r"coarse_spaces/([\w.+-]+)", PAGE))
    assert shown - {"coarse_spaces.json"} == {path.name for path in tables.TARGET.iterdir()}
    used = set(re.findall(r"\|([^|\n]+)\|", PAGE))
    assert used <= set(tables.numbers(RECORD))


def test_what_the_page_says_in_words():
    def ratio(space, scheme="A-DEF2", fine="K-FAC", beside=None):
        return tables.mean(RECORD.ratio(fine, space, scheme, beside or fine))

    def step(space, fine):
        return RECORD.errors("galerkin error", fine, space, "A-DEF2")

    assert ratio("largest 10") < ratio("gradients") < ratio("largest 5")
    assert all(ratio(space, "AD") > ratio(space) for space in RECORD.spaces if space.startswith("largest"))
    for space in ("largest 20", "gradients"):
        assert step(space, "K-FAC") < step(space, "none") < RECORD.errors("scaled error", "none")
    assert step("ritz of A, 60", "none") < min(step(space, "K-FAC") for space in RECORD.spaces)
    assert all(tables.mean(RECORD.work("K-FAC", space, True)) > 1 for space in (None, *RECORD.spaces))
    plain = RECORD.cost("step", "none")
    assert all(1.8 < RECORD.cost("step", "none", space, "A-DEF2") / plain < 4.5 for space in RECORD.spaces)
    few = [space for space in RECORD.spaces if max(RECORD.of("k", "K-FAC", space, "A-DEF2")) <= 16]
    assert min(few, key=lambda space: step(space, "K-FAC")) == "residual"
