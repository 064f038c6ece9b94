"""plot_comparisons draws what it is given."""

import builtins
import io

import pytest

from kronlin.diagnostics import Comparison, plot_comparisons
from tests.diagnostics.test_comparison import row


def test_curves_and_spectra_hold_the_numbers():
    rows = [row("first"), row("second"), row("third", residuals=(1.0, 0.1, 1e-9), ritz_values=(0.5, 3.0))]
    figure = plot_comparisons({"title": Comparison(rows, 1e-8)})
    left, right = figure.axes
    assert left.get_title() == "title"
    assert list(left.lines[2].get_ydata()) == [1.0, 0.1, 1e-9]
    assert list(right.lines[2].get_xdata()) == [0.5, 3.0]
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["first", "second", "third"]
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    assert stream.getvalue().startswith(b"\x89PNG")


def test_the_first_two_and_the_fastest_are_drawn():
    rows = [row("a", iterations=90), row("b", iterations=80), *(row(f"r{i}", iterations=i) for i in range(9, 0, -1))]
    rows.append(row("step", iterations=None))
    figure = plot_comparisons({"": Comparison(rows, 1e-8)}, most=4)
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["a", "b", "r1", "r2"]


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def refuse(name, *arguments, **options):
        if name.startswith("matplotlib"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *arguments, **options)

    monkeypatch.setattr("kronlin.arrays._optional.import_module", lambda name: refuse(name))
    with pytest.raises(ImportError, match=r'pip install "kronlin\[plot\]"'):
        plot_comparisons({"": Comparison([row("a")], 1e-8)})
