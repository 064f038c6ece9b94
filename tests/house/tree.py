"""The source tree as the house tests see it: files, modules and imports, read without running anything."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "kronlin"


def sources() -> list[Path]:
    """Every source file of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name of a source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parse(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports_below(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement under a node, those for the type checker alone left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        yield from imports_below(child)


def imported_modules(path: Path, known: set[str]) -> set[str]:
    """The modules in `known` that a file imports, each named as precisely as the statement allows."""
    names = set()
    for node in imports_below(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= submodules & known
            if len(submodules & known) < len(submodules):
                names.add(str(node.module))
    return names & known
