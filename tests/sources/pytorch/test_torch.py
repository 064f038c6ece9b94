"""The door to PyTorch: it is opened late, and says what to install."""

import subprocess
import sys

import pytest

from kronlin.sources.pytorch._torch import import_torch
from tests.house.tree import ROOT


def test_without_pytorch_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r'this needs torch.*pip install "kronlin\[torch\]"'):
        import_torch()


def test_collect_says_it_too(monkeypatch):
    from kronlin.sources import pytorch

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r'pip install "kronlin\[torch\]"'):
        pytorch.collect(None, "mse", None, None)


def test_the_source_itself_imports_no_torch():
    command = "import sys, kronlin.sources.pytorch; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True)
