"""The long run counts what it checks, finds a planted fault, and can be taken up again."""

import pytest

from tests.faults import FAULTS
from tests.testing import long_run
from tests.testing.long_run import SHARES, Chunk, chunks, main, run


@pytest.fixture(autouse=True)
def without_jax(monkeypatch):
    monkeypatch.setattr(long_run, "SHARES", {**SHARES, "jax": 0})


def test_a_short_run_finds_nothing(capsys):
    assert main(["--examples", "30", "--seed", "5", "--depth", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("30 examples of depth ≤ 2, seed 5")
    assert lines[-1] == "0 counter-examples"


def test_a_planted_fault_is_found_and_made_small(capsys):
    fault = next(fault for fault in FAULTS if fault.title == "difference is the sum")
    with fault.plant():
        assert main(["--examples", "250", "--depth", "2"]) == 1
    text = capsys.readouterr().out
    assert "1 counter-examples" in text
    assert "twin=" in text


def test_a_chunk_is_the_same_again():
    chunk = Chunk(3, seed=2, examples=20, depth=2)
    assert run(chunk) == run(chunk)


def test_chunks_cut_a_run_and_can_begin_anywhere():
    assert [chunk.examples for chunk in chunks(600, 1, 4)] == [250, 250, 100]
    assert [chunk.number for chunk in chunks(600, 1, 4, first=1)] == [1, 2]
    assert list(chunks(600, 1, 4, first=9)) == []


def test_jobs_share_the_work(capsys):
    assert main(["--examples", "40", "--depth", "1", "--jobs", "2"]) == 0
    assert "40 examples" in capsys.readouterr().out
