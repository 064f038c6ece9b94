"""What is public is documented, and importing it is light."""

import inspect
import re
import subprocess
import sys
from types import ModuleType

import pytest

import kronlin
from tests.house.tree import ROOT

HEAVY = {"cupy", "hypothesis", "jax", "matplotlib", "pandas", "safetensors", "scipy", "sklearn", "torch", "tqdm"}
LATER = ("numpy.f2py", "numpy.ma", "numpy.polynomial", "numpy.random", "numpy.testing", "unittest", "asyncio", "json")
"""Parts of NumPy and of Python that would double the time of the import."""


def documented() -> list[str]:
    """The names in the `autosummary` lists of docs/api/index.rst, as `kronlin.` would be put in front."""
    page = (ROOT / "docs" / "api" / "index.rst").read_text(encoding="utf-8")
    lists = re.findall(r"^\.\. autosummary::\n((?:[ ]+\S.*\n|\n)*)", page, flags=re.MULTILINE)
    entries = [line.strip() for block in lists for line in block.splitlines()]
    return [entry for entry in entries if entry and not entry.startswith(":")]


def public(module: ModuleType) -> list[str]:
    """The public names of a module; dunders such as `__version__` are not documented one by one."""
    return [name for name in module.__all__ if not name.startswith("__")]


def rooms() -> list[str]:
    """The public names of `kronlin` that are packages with public names of their own."""
    return [name for name in public(kronlin) if inspect.ismodule(getattr(kronlin, name))]


def test_no_name_is_documented_twice():
    assert len(documented()) == len(set(documented()))


def test_front_door_is_what_is_documented():
    assert set(public(kronlin)) == {name for name in documented() if "." not in name}


@pytest.mark.parametrize("room", rooms())
def test_room_is_what_is_documented(room):
    expected = {f"{room}.{name}" for name in public(getattr(kronlin, room))}
    assert expected == {name for name in documented() if name.startswith(f"{room}.")}


@pytest.mark.parametrize("name", documented())
def test_is_explained(name):
    thing = kronlin
    for part in name.split("."):
        thing = getattr(thing, part)
    assert inspect.getdoc(thing), f"{name} has no docstring"
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                assert inspect.getdoc(getattr(thing, member)), f"{name}.{member} has no docstring"


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    command = f"{statement}\nimport sys\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_import_is_light():
    loaded = modules_after("import kronlin") - modules_after("import numpy")  # old releases open more on their own
    assert not HEAVY & {name.split(".")[0] for name in loaded}
    assert not set(LATER) & loaded


def test_import_opens_the_rooms_of_the_algebra_and_the_operators_only():
    """Every module is a file to find and read: the import takes about as long as it opens modules."""
    loaded = modules_after("import kronlin")
    rooms = {name.split(".")[1] for name in loaded if name.startswith("kronlin.")}
    assert rooms == {"algebra", "arrays", "operators"}
    assert len(loaded - modules_after("import numpy")) < 120, "own modules, array-api-compat, and a few of Python's"
