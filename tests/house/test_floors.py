"""Floors are one-way, imports stand at the top of their file, and no two files import each other."""

import ast
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.tree import ROOT, imported_modules, imports_below, module_name, parse, sources


def test_import_contracts_hold():
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    result = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_imports_stand_at_the_top(path):
    tree = parse(path)
    inner = {id(node) for node in imports_below(tree)} - {id(node) for node in tree.body}
    lines = [node.lineno for node in ast.walk(tree) if id(node) in inner]
    assert not lines, f"imports inside a function or block at lines {lines}: use optional_import"
    first_other = None
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert first_other is None, f"line {node.lineno} imports below line {first_other}"
        elif not isinstance(node, ast.Expr | ast.If):
            first_other = first_other or node.lineno


def test_no_circles():
    modules = {module_name(path): path for path in sources()}
    graph = {name: imported_modules(path, set(modules)) - {name} for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("import circle: " + " <- ".join(error.args[1]))
