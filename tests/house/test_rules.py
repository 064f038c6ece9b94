"""Rules are unambiguous and named."""

import pytest

import kronlin.curvature
import kronlin.twolevel  # noqa: F401 - with curvature and what it imports, registers every rule
from kronlin.algebra.dispatch import all_rules


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.__name__)
def test_no_two_rules_compete(rule):
    assert rule.ambiguities() == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.__name__)
def test_rules_have_names(rule):
    names = [case.function.__name__ for case in rule.cases]
    assert names, f"nothing is registered for {rule.__name__}"
    assert not [name for name in names if not name.strip("_") or name == "<lambda>"]
