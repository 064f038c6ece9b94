"""ApproximationErrors: rows by name, and how missing values are shown."""

import pytest

from kronlin.diagnostics import ApproximationErrors, ErrorRow

TABLE = ApproximationErrors(
    [
        ErrorRow("a", 0.5, 0.4, 3.0, 1.5, None, None),
        ErrorRow("b", 0.25, 0.3, None, None, -0.1, "K is indefinite (lowest eigenvalue -0.1)"),
    ],
    0.1,
)


def test_the_nearest_has_the_smallest_frobenius_error():
    assert TABLE.nearest.name == "b"


def test_rows_by_name_and_an_unknown_name_lists_them():
    assert TABLE["a"].kl == 1.5
    with pytest.raises(KeyError, match="'a', 'b'"):
        TABLE["c"]


def test_what_is_missing_is_a_dash_and_the_remark_says_why():
    first, second = str(TABLE).splitlines()[2:]
    assert first.split() == ["a", "0.5", "0.4", "3", "1.5", "–"]
    assert second.split()[:5] == ["b", "0.25", "0.3", "–", "–"]
    assert second.endswith("K is indefinite (lowest eigenvalue -0.1)")
    assert "lowest eigenvalue" in TABLE._repr_html_()


def test_plot_returns_a_figure():
    assert len(TABLE.plot().axes) == 2
