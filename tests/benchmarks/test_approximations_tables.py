"""What docs/approximations.rst shows is what the benchmark measured, and what it says is so."""

import re

import pytest

from tests.benchmarks.loaded import script
from tests.house.tree import ROOT

tables = script("approximations_tables")
RECORD = tables.load()
PAGE = tables.PAGE.read_text(encoding="utf-8")
TEXTS = tables.texts(RECORD)


def value(what, name, net):
    """What was measured."""
    return next(each for each in RECORD if each["net"] == net)["rows"][name][what]


@pytest.mark.parametrize("name", TEXTS)
def test_committed_text_is_that_of_the_measurements(name):
    assert (tables.TARGET / name).read_text(encoding="utf-8") == TEXTS[name]


def test_page_shows_every_file_and_names_numbers_only_by_name():
    files = {path.name for path in tables.TARGET.iterdir()}
    assert files == {*TEXTS, "blocks.png"}
    assert set(re.findall(r"[/ ]approximations/([\w.]+)", PAGE)) == files
    assert (tables.TARGET / "blocks.png").stat().st_size <= 150_000
    assert set(re.findall(r"\|([^|\n]+)\|", PAGE)) <= set(tables.numbers(RECORD))


@pytest.mark.parametrize("net", [each["net"] for each in RECORD])
def test_what_theory_says_of_every_net(net):
    def blocks(name):
        return value("blocks", name, net) * (1 - 1e-6)

    for near, far in (("KPSVD, rank 2", "KPSVD"), ("KPSVD", "K-FAC"), ("KPSVD", "K-FAC, reduce"), ("KPSVD", "TK-FAC"),
                      ("KPSVD", "Shampoo × c"), ("KPSVD", "FOOF × c"), ("EK-FAC", "K-FAC"), ("mini-block", "diagonal"),
                      ("EK-FAC, reduce", "K-FAC, reduce"), ("K-FAC corrected", "K-FAC")):  # fmt: skip
        assert blocks(near) <= value("blocks", far, net) + 1e-10
        assert value("frobenius", near, net) <= value("frobenius", far, net) + 1e-10


def test_what_the_page_says_in_words():
    for name in ("K-FAC", "EK-FAC", "TK-FAC", "KPSVD"):
        assert value("blocks", name, "deep linear") < 1e-10
    for net in ("sequence", "convolutional"):
        assert value("blocks", "K-FAC", net) > 2.5 * value("blocks", "K-FAC, reduce", net)
        assert value("blocks", "EK-FAC", net) < value("blocks", "K-FAC, reduce", net)
    for net in (each["net"] for each in RECORD):
        assert value("blocks", "TK-FAC", net) <= 1.05 * value("blocks", "KPSVD", net) + 1e-10
        assert value("blocks", "K-FAC, reduce", net) < value("frobenius", "exact blocks", net)
        exact, factored, coupled = (
            [value(what, name, net) for what in ("damped", "damped stein")]
            for name in ("K-FAC, reduce, exactly damped", "K-FAC, reduce, factored damping", "block-tridiagonal K-FAC")
        )
        assert coupled < factored
        assert coupled[1] < factored[1]
        assert factored[1] > 3 * exact[1]
    assert value("stein", "KPSVD, rank 2", "convolutional") is None
    assert value("lowest", "KPSVD, rank 2", "convolutional") < -RECORD[0]["damping"]
    for what, order in (("frobenius", 1), ("spectral", 1), ("stein", -1)):
        difference = value(what, "FOOF × c", "classifier") - value(what, "Shampoo × c", "classifier")
        assert order * difference > 0
    assert value("stein", "mini-block", "convolutional") < 1.05 * value("stein", "K-FAC, reduce", "convolutional")


def test_a_part_is_measured_again(monkeypatch):
    """The numbers are still those of the code; two cheap methods on one net."""
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = script("approximations")
    members = {name: module.MEMBERS[name] for name in ("K-FAC, reduce", "mini-block")}
    found = module.measure("convolutional", members)
    assert found["p"] == next(each for each in RECORD if each["net"] == "convolutional")["p"]
    for name in members:
        for what in ("frobenius", "spectral", "blocks", "stein"):
            assert found["rows"][name][what] == pytest.approx(value(what, name, "convolutional"), rel=1e-4)
