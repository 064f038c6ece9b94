"""What is public is documented, and importing it is light."""

import inspect
import re
import subprocess
import sys
from types import ModuleType

import pytest

import kronlin
from tests.house.tree import ROOT

HEAVY = {"cupy", "hypothesis", "jax", "matplotlib", "pandas", "safetensors", "sklearn", "torch", "tqdm"}


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


def test_import_is_light():
    command = "import sys, kronlin; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    result = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(result.stdout.split())
