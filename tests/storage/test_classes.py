"""Classes and their names in files."""

import subprocess
import sys

import numpy as np
import pytest

import kronlin as kl
from kronlin.storage._classes import allowed, class_name, own_classes


class Mine(kl.Operator):
    pass


def test_the_operators_of_kronlin_are_found():
    found = set(own_classes())
    assert {kl.Kronecker, kl.FisherRoot, kl.twolevel.TwoLevel, kl.algebra.Scaled, kl.algebra.Adjoint} <= found
    assert Mine not in found


def test_a_file_may_hold_what_the_import_of_kronlin_leaves_closed(tmp_path):
    A, Z = np.diag([1.0, 2.0, 3.0]), np.ones((3, 1))
    kl.save(tmp_path / "two.npz", kl.two_level(kl.assume(A, "pd"), np.eye(3), Z, "BNN"))
    kl.save(tmp_path / "root.npz", kl.FisherRoot(A, A))
    command = "import sys, kronlin as kl; print(*(type(kl.load(name)).__name__ for name in sys.argv[1:]))"
    files = [str(tmp_path / name) for name in ("two.npz", "root.npz")]
    result = subprocess.run([sys.executable, "-c", command, *files], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["TwoLevel", "FisherRoot"]


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
