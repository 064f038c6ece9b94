"""What `kronlin info` says."""

from importlib import metadata

import numpy as np

from kronlin.arrays import LIBRARIES
from kronlin.cli import _info


def test_versions_are_those_installed():
    lines = _info.info_lines()
    assert f"numpy {np.__version__}" in lines
    assert f"scipy {metadata.version('scipy')}" in lines


def test_every_known_library_is_named():
    text = "\n".join(_info.info_lines())
    for name in LIBRARIES:
        assert f"array library {name}" in text


def test_blas_without_threadpoolctl(monkeypatch):
    def missing(*_, **__):
        raise ImportError

    monkeypatch.setattr(_info, "optional_import", missing)
    (line,) = _info._blas()
    assert "threads unknown" in line
