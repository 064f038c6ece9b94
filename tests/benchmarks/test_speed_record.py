"""A run of a part of a speed question keeps what was measured of the others."""

import json

import pytest

from tests.benchmarks.loaded import part

record = part("record")


@pytest.fixture
def kept(monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(record, "RESULTS", tmp_path)

    def report(question, rows):
        (tmp_path / f"{question}.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")
        written.append([(row["net"], row["dtype"], row["vectors"], row["ms"]) for row in rows])

    monkeypatch.setattr(record, "report", report)
    return written


def row(net, dtype, vectors, ms):
    return {"net": net, "dtype": dtype, "vectors": vectors, "who": "kronlin", "ms": ms}


def test_other_cases_stay_and_the_same_one_is_replaced(kept):
    record.record("speed_x", [row("b", "float32", 1, 1.0), row("a", "float64", 1, 2.0)])
    record.record("speed_x", [row("a", "float32", 16, 3.0), row("b", "float32", 1, 4.0)])
    record.record("speed_x", [row("a", "float32", 1, 5.0)])
    assert kept[0] == [("a", "float64", 1, 2.0), ("b", "float32", 1, 1.0)]
    assert kept[-1] == [
        ("a", "float32", 1, 5.0),
        ("a", "float32", 16, 3.0),
        ("a", "float64", 1, 2.0),
        ("b", "float32", 1, 4.0),
    ]


def test_kinds_of_work_are_cases_of_their_own(kept):
    record.record("speed_x", [{**row("a", "float32", 1, 1.0), "work": "exact"}])
    record.record("speed_x", [{**row("a", "float32", 1, 2.0), "work": "factored"}])
    assert [line[-1] for line in kept[-1]] == [1.0, 2.0]


def test_nets_of_no_name_come_last(kept):
    record.record("speed_x", [row("4 layers", "float32", 1, 1.0), row("c", "float64", 1, 2.0)])
    assert kept[-1][0][0] == "c"
