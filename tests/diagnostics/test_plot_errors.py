"""plot_errors draws what it is given."""

from kronlin.diagnostics import plot_errors
from tests.diagnostics.test_approximationerrors import TABLE


def test_bars_hold_the_numbers_with_the_first_row_on_top():
    left, right = plot_errors(TABLE).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["b", "a"]
    assert [bar.get_width() for bar in left.patches] == [0.25, 0.5, 0.3, 0.4]
    assert [bar.get_width() for bar in right.patches] == [3.0]
    assert "indefinite" in right.texts[0].get_text()
    assert right.get_xlabel() == "loss of Stein, λ = 0.1"
