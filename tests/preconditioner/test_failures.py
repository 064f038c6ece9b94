"""Failures are warned of, raised where that is asked for, and kept."""

import pytest

from kronlin.preconditioner.failures import Failure, Failures


def test_is_warned_of_and_kept():
    failures = Failures("warn")
    with pytest.warns(RuntimeWarning, match="step 3, inverses: no pivot; the old ones serve"):
        failures.note(3, "inverses", ValueError("no pivot"), "the old ones serve")
    assert failures.latest == (Failure(3, "inverses", "no pivot"),)


@pytest.mark.parametrize(("on_failure", "fatal"), [("raise", False), ("warn", True), ("raise", True)])
def test_is_raised(on_failure, fatal):
    failures, error = Failures(on_failure), ValueError("no pivot")
    with pytest.raises(ValueError, match="no pivot") as caught:
        failures.note(1, "inverses", error, "", fatal=fatal)
    assert caught.value is error
    assert failures.count == 1


def test_text_is_kept_of_the_latest_only():
    failures = Failures("raise")
    for step in range(150):
        with pytest.raises(ValueError, match="x"):
            failures.note(step, "a", ValueError("x"), "")
    assert failures.count == 150
    assert [failure.step for failure in failures.latest] == list(range(50, 150))


def test_argument_is_checked():
    with pytest.raises(ValueError, match="on_failure must be 'warn' or 'raise', not 'ignore'"):
        Failures("ignore")
