"""The seeded-fault experiment: check_operator catches every planted fault, by the law that is meant to."""

import re
import subprocess
import sys

import pytest

from kronlin.testing import check_operator
from kronlin.testing._check import LAWS
from tests.faults import FAULTS
from tests.house.tree import ROOT

EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.title)


@EACH
def test_it_is_caught_by_the_law_that_is_meant_to(fault):
    assert fault.caught_by() == fault.law, fault.message()


@EACH
def test_without_it_all_laws_hold(fault):
    with fault.plant():
        pass
    check_operator(*fault.make())


def test_there_are_many_and_no_two_are_the_same():
    assert len({fault.title for fault in FAULTS}) == len(FAULTS) >= 30


def test_every_law_catches_one():
    names = {law.__name__.replace("_", " ") for law in LAWS}
    assert {fault.law for fault in FAULTS} == names


def test_the_table_is_printed():
    command = [sys.executable, "-m", "tests.faults"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[-1] == f"{len(FAULTS)} of {len(FAULTS)} planted faults are caught"
    assert lines[0].split("  ")[0] == FAULTS[0].title


def test_the_documentation_states_the_count():
    page = (ROOT / "docs" / "test_your_own_operator.rst").read_text(encoding="utf-8")
    assert re.findall(r"There are (\d+) of them", page) == [str(len(FAULTS))]
    assert f"{len(FAULTS)} of {len(FAULTS)} planted faults are caught" in page
