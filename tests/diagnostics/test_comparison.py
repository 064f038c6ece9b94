"""Comparison: finding rows, and which of them won."""

import pytest

from kronlin.diagnostics import Comparison, Row


def row(name, error=1.0, iterations=3, converged=True, residuals=(1.0, 1e-9), ritz_values=(1.0, 2.0)):
    return Row(name, error, 1.0, 0.5, 2.0, iterations, None, 0.1, converged, residuals, ritz_values)


TABLE = Comparison(
    [row("a"), row("b", error=0.5, iterations=1, converged=False), row("c", 0.7, 2), row("d", 0.6, None)], 1e-8
)


def test_the_fastest_has_converged():
    assert TABLE.fastest is not None
    assert TABLE.fastest.name == "c"


def test_the_nearest_has_the_smallest_error():
    assert TABLE.nearest.name == "b"


def test_rows_by_name_and_an_unknown_name_lists_them():
    assert TABLE["d"].error == 0.6
    with pytest.raises(KeyError, match="'a', 'b', 'c', 'd'"):
        TABLE["e"]


def test_a_row_that_did_not_converge_shows_it():
    lines = str(TABLE).splitlines()
    assert ">1" in lines[3]
    assert ">" not in lines[2]


def test_plot_returns_a_figure():
    assert len(TABLE.plot().axes) == 2
