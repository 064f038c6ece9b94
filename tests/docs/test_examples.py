"""The examples run, say what they found, and are pages of the documentation."""

import os
import re
import subprocess
import sys

import pytest

from tests.house.tree import ROOT

FOLDER = ROOT / "docs" / "examples"
EACH = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)


# the one for JAX compiles for most of a minute: it is left to the build of the documentation, which fails with it
@pytest.mark.parametrize(
    "path", [path for path in sorted(FOLDER.glob("*.py")) if path.stem != "train_jax"], ids=lambda x: x.stem
)
@pytest.mark.slow
def test_runs_and_prints(path):
    if path.stem == "train_torch":
        pytest.importorskip("torch")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    command = [sys.executable, "-W", "error", str(path)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    assert "nan" not in run.stdout.lower()


@EACH
def test_is_a_page(path):
    """The gallery makes a page of each script that begins with a title; a library that may be absent is in its name."""
    text = path.read_text(encoding="utf-8")
    title, line = text.splitlines()[1:3]
    assert len(line) == len(title)
    assert set(line) == {"="}
    imported = set(re.findall(r"^import (torch|jax)\b", text, re.MULTILINE))
    assert imported == {path.stem.rpartition("_")[2]} & {"torch", "jax"}
    assert len(text.splitlines()) < 170


def test_the_gallery_is_reached():
    assert "\n   gallery/index\n" in (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
    assert '"examples_dirs": "examples"' in (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
