"""Modules that are not installed here, played by others."""

import sys
from types import ModuleType


def stand_in(monkeypatch, names):
    """Put a module of these names, and its parents, where the import looks."""
    for path, value in names.items():
        *parents, last = path.split(".")
        for depth in range(1, len(parents) + 1):
            name = ".".join(parents[:depth])
            if name not in sys.modules:
                monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setattr(sys.modules[".".join(parents)], last, value, raising=False)
