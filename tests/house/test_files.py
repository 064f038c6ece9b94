"""Every source file has a twin test and stays short."""

import pytest

from tests.house.tree import PACKAGE, ROOT, module_name, sources

LONGEST = 300


def _rooms() -> list:
    return [path for path in sources() if path.name not in ("__init__.py", "__main__.py")]


@pytest.mark.parametrize("path", _rooms(), ids=module_name)
def test_has_a_twin(path):
    inside = path.relative_to(PACKAGE)
    twin = ROOT / "tests" / inside.parent / f"test_{inside.stem.lstrip('_')}.py"
    assert twin.is_file(), f"missing {twin.relative_to(ROOT)}"


@pytest.mark.parametrize(
    "path",
    [*sources(), *sorted((ROOT / "tests").rglob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_is_short(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{lines} lines: do two ideas live in one room?"


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in (ROOT / "tests").rglob("*.py")}),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_folder_is_a_package(folder):
    assert (folder / "__init__.py").is_file()
