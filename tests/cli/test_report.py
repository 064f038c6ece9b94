"""The files that `kronlin compare` writes."""

import pytest

from kronlin.cli import _report
from kronlin.diagnostics import Comparison
from tests.diagnostics.test_comparison import row

RESULTS = [(0.1, Comparison([row("a & b"), row("c")], 1e-8)), (0.01, Comparison([row("a & b", 0.3)], 1e-8))]


def test_the_joined_table_has_the_damping_in_front():
    lines = _report.joined_table(RESULTS).to_csv().splitlines()
    assert lines[0].startswith("damping,name,error")
    assert [line.split(",")[0] for line in lines[1:]] == ["0.1", "0.1", "0.01"]


def test_the_page_holds_everything():
    page = _report.page(RESULTS, ["What was <done>."], ["first", "second"])
    assert page.count("<table>") == 2
    assert "What was &lt;done&gt;." in page
    assert "a &amp; b" in page
    assert page.index("first") < page.index("second")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        _report.write_text(str(target), "\ud800")
    assert target.read_text(encoding="utf-8") == "old"
