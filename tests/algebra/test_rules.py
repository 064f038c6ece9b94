"""The open functions: each is on the list once, says what it is, and knows no operator."""

import ast
from pathlib import Path

import pytest

from kronlin.algebra import Operator, rules
from kronlin.algebra.dispatch import Rule, all_rules

OWN = {name: value for name, value in vars(rules).items() if isinstance(value, Rule)}


@pytest.mark.parametrize("name", OWN)
def test_a_rule_is_called_what_it_is_called(name):
    rule = OWN[name]
    assert rule.__name__ == name
    assert rule.__doc__
    assert rule in all_rules()
    assert rule.arity == (2 if name in ("compose", "add", "gram", "inner", "project") else 1)


def test_the_file_knows_no_operator():
    tree = ast.parse(Path(rules.__file__).read_text(encoding="utf-8"))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node.module for node in imported] == ["kronlin.algebra.dispatch"]


@pytest.mark.parametrize("name", [name for name in OWN if name not in ("wrap", "conjugate")])
def test_every_function_has_a_rule_for_any_operator(name):
    """A new operator that defines nothing but its products is served by all of them."""
    general = (Operator,) * OWN[name].arity
    assert general in {case.types for case in OWN[name].cases}


def test_an_array_api_name_is_said_in_the_error():
    class Bare:
        pass

    with pytest.raises(NotImplementedError, match=r"no rule of adjoint \(Aᴴ\) takes Bare"):
        rules.adjoint(Bare())
