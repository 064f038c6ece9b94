"""speed.gpu runs from end to end on a stand-in for CuPy, and says why it is skipped where there is no GPU."""

import json
import os
from importlib import import_module

import pytest

from tests.benchmarks.loaded import FOLDER
from tests.gpu import fake_array
from tests.libraries import missing_gpu

SMALL = {"a": [(4, 5), (3, 5)], "b": [(2, 4), (2, 3), (2, 3)], "c": [(6, 3), (3, 3)]}


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """The benchmark on small nets; its results go elsewhere."""
    monkeypatch.setenv("CUPY_TF32", os.environ.get("CUPY_TF32", "1"))
    monkeypatch.syspath_prepend(str(FOLDER))
    module = import_module("speed.gpu")
    monkeypatch.setattr(import_module("harness"), "RESULTS", tmp_path)
    for name in SMALL:
        monkeypatch.setitem(import_module("speed.workloads").NETS, name, SMALL[name])
    monkeypatch.setattr(module, "SIDE", 8)
    measure = module.samples
    monkeypatch.setattr(module, "samples", lambda *args, **options: measure(*args, **{**options, "budget": 0.0}))
    return module


def test_all_questions_are_answered(gpu, fake, tmp_path, capsys):
    gpu.main()
    record = json.loads((tmp_path / "speed_gpu.json").read_text())
    assert record["machine"]["GPU"] == "stand-in"
    assert record["machine"]["cupy"] == "stand-in"
    assert record["machine"]["TF32"] == "off"
    bars = [row for row in record["rows"] if row["bar"] is not None]
    assert {(row["work"], row["net"]) for row in bars} == {
        *(("W1", net) for net in "abc"),
        *((f"W5, {name} solve", "a") for name in ("first", "further")),
        *((work, net) for work in ("W9", "W9, reads between looks") for net in "ac"),
    }
    assert len(bars) == 2 * 9
    assert all(row["who"] == "kronlin" and row["met"] in (True, False) for row in bars)
    printed = capsys.readouterr().out
    assert printed.count("\nmet    ") + printed.count("\nmissed ") == len(bars)
    reads = [row for row in bars if "reads" in row["work"]]
    assert [row["value"] for row in reads] == [0.0] * 4


def test_a_part_can_be_chosen(gpu, fake, tmp_path):
    gpu.main("b", "float32")
    rows = json.loads((tmp_path / "speed_gpu.json").read_text())["rows"]
    assert {(row["work"], row["net"], row["dtype"]) for row in rows} == {("W1", "b", "float32")}


def test_reads_of_the_host_are_counted(gpu, fake):
    x = fake.asarray(1.0)

    def solve(callback):
        for _ in range(3):
            callback(x)
            float(x)

    assert gpu.reads_between_looks(fake, solve) == 2
    fake_array.WAITS.clear()
    float(x)
    assert fake_array.WAITS == ["__float__"]


def test_without_a_gpu_it_says_so(gpu, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(gpu, "missing", lambda: "no device")
    gpu.main()
    assert capsys.readouterr().out == "speed.gpu is skipped: no device\n"
    assert not list(tmp_path.iterdir())


def test_the_reason_is_that_of_the_library(gpu, monkeypatch, fake):
    assert gpu.missing() == ""
    monkeypatch.setattr(fake.cuda.runtime, "getDeviceCount", lambda: 0)
    assert gpu.missing() == "CuPy is installed, and finds no CUDA device"


def test_the_reason_here(gpu):
    assert (gpu.missing() == "") == (missing_gpu() == "")
