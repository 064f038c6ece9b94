"""Classes and their names in files."""

import pytest

import kronlin as kl
from kronlin.storage._classes import allowed, class_name, own_classes


class Mine(kl.Operator):
    pass


def test_the_operators_of_kronlin_are_found():
    found = set(own_classes())
    assert {kl.Kronecker, kl.FisherRoot, kl.twolevel.TwoLevel, kl.algebra.Scaled, kl.algebra.Adjoint} <= found
    assert Mine not in found


def test_no_two_share_a_name():
    names = [class_name(cls) for cls in own_classes()]
    assert len(names) == len(set(names))


def test_names():
    assert class_name(kl.Kronecker) == "kronlin.Kronecker"
    assert class_name(Mine) == "tests.storage.test_classes.Mine"
    assert class_name(type("Near", (kl.Operator,), {"__module__": "kronlin_like"})) == "kronlin_like.Near"


def test_only_what_is_allowed():
    assert "tests.storage.test_classes.Mine" not in allowed(())
    assert allowed([Mine])["tests.storage.test_classes.Mine"] is Mine
    assert allowed(())["kronlin.Dense"] is kl.Dense


@pytest.mark.parametrize("thing", [int, "kronlin.Dense", kl.Identity(2, dtype="float64")], ids=type)
def test_other_things_are_no_classes_of_operators(thing):
    with pytest.raises(TypeError, match="subclasses of kronlin"):
        allowed([thing])
