"""Nothing of JAX is imported with kronlin; without JAX the error says what to install."""

import subprocess
import sys

import pytest

from kronlin.sources import jax as source
from kronlin.sources.jax._jax import import_jax
from tests.house.tree import ROOT


def test_without_jax_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    message = r'this needs jax, .* pip install "kronlin\[jax\]"'
    with pytest.raises(ImportError, match=message):
        import_jax()
    with pytest.raises(ImportError, match=message):
        source.collect((lambda parameters, x: x, {}), "mse", [], [])


def test_jax_is_imported_by_a_call_only():
    command = "import sys; from kronlin.sources import jax as s; print(s.__all__, 'jax' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == f"{source.__all__} False"
