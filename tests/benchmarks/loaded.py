"""Scripts of benchmarks/, which is no package, and of the package in it."""

import importlib
import importlib.util
import sys
from types import ModuleType

from tests.house.tree import ROOT

FOLDER = ROOT / "benchmarks"


def script(name: str) -> ModuleType:
    """A benchmark as a module, without running it; it finds its neighbours as when it is run."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(FOLDER))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


def part(name: str) -> ModuleType:
    """A file of the package benchmarks/speed as a module."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(f"speed.{name}")
    finally:
        sys.path.remove(str(FOLDER))
