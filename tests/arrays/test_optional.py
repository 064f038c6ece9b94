"""optional_import: the module, or what to install."""

import math
import sys

import pytest

from kronlin.arrays import optional_import


def test_gives_the_module_itself():
    assert optional_import("math", extra="demo") is math


def test_gives_the_inner_module_of_a_dotted_name():
    assert optional_import("importlib.resources", extra="demo") is sys.modules["importlib.resources"]


def test_a_missing_library_is_named_with_what_to_install():
    with pytest.raises(ImportError, match=r'this needs nowhere, .*pip install "kronlin\[plot\]"') as caught:
        optional_import("nowhere.inside", extra="plot")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_library_that_fails_to_load_is_quoted(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("raise ImportError('libcuda.so is missing')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"half_installed, .*libcuda\.so is missing"):
        optional_import("half_installed", extra="gpu")


def test_other_errors_pass(tmp_path, monkeypatch):
    (tmp_path / "broken_inside.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        optional_import("broken_inside", extra="gpu")
