"""The page "Two-level methods" says of each scheme what the code says, and shows the numbers that were measured."""

import json
import re
from importlib import import_module

import numpy as np
import pytest

from kronlin.twolevel._schemes import SCHEMES
from tests.house.tree import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def told() -> dict[str, list[str]]:
    """The cells behind each name in the table of schemes."""
    page = (ROOT / "docs" / "two_level.rst").read_text(encoding="utf-8")
    table = re.search(r"The eight ways to combine\n.*?\.\. list-table::\n(.*?)\n\n\S", page, flags=re.DOTALL)
    rows = re.split(r"^   \* - ", table.group(1), flags=re.MULTILINE)[2:]
    cells = [[" ".join(cell.split()).strip("`") for cell in re.split(r"^     - ", row, flags=re.M)] for row in rows]
    return {name: rest for name, *rest in cells}


def test_every_scheme_is_told():
    assert sorted(told()) == sorted(SCHEMES)


@pytest.mark.parametrize("name", SCHEMES)
def test_scheme_is_told_as_it_is(name):
    formula, self_adjoint, definite, solver, cost, when = told()[name]
    scheme = SCHEMES[name]
    assert formula == scheme.expression
    assert (self_adjoint, definite) == tuple("yes" if flag else "no" for flag in (scheme.self_adjoint, scheme.definite))
    assert solver.lower() == scheme.solver
    projections = scheme.expression.count("P")
    assert cost == f"{projections + scheme.expression.count('Q')}, {projections}"
    assert when


@pytest.fixture
def room(monkeypatch):
    """Import from benchmarks/deflation as the benchmark does."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return lambda name: import_module(f"deflation.{name}")


def test_tables_are_what_was_measured(room):
    numbers, statements = (
        json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["rows"]
        for name in ("two_level_theory", "two_level_statements")
    )
    written = (ROOT / "docs" / "two_level_theory.inc").read_text(encoding="utf-8")
    assert room("tables").page(numbers, statements) == written


def test_cells_are_steps_or_the_smallest_error(room):
    cell, curve = room("tables").cell, np.array([1.0, 1e-3, 1e-9, 1e-7, np.nan])
    assert cell(curve) == "2"
    assert cell(curve, 1e-10) == "(1e-09)"


def test_the_methods_of_the_benchmark_run(room):
    run, steps = room("methods"), room("tables").steps
    problem = room("problems").islands(16)
    for psi, alike in ((0.0, ("DEF1", "DEF2", "A-DEF2", "R-BNN1", "R-BNN2")), (1e-5, ("A-DEF2",))):
        table = run.methods(problem, run.inaccurate(problem, psi))
        counts = {name: steps(run.errors(problem, row, 0.0)) for name, row in table.items()}
        assert counts["BNN"] < counts["AD"] < counts["PREC"]
        assert {counts[name] for name in alike} == {counts["BNN"]}
    assert counts["DEF2"] is None
