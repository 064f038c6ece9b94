"""Scripts of benchmarks/, which is no package."""

import importlib.util
from types import ModuleType

from tests.house.tree import ROOT


def script(name: str) -> ModuleType:
    """A benchmark as a module, without running it."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
