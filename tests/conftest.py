"""What all tests share: the array libraries, and how long Hypothesis searches."""

import os
from types import ModuleType

# Before the first import of NumPy and PyTorch: workers of pytest-xdist that each spin a pool of threads slow one
# another down, PyTorch's small operations sixfold.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from tests import libraries
from tests.gpu import fake_cupy

settings.register_profile(
    "ci",
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("long", settings.get_profile("ci"), max_examples=2000, derandomize=False)
settings.load_profile(os.environ.get("KRONLIN_HYPOTHESIS", "ci"))


if os.environ.get("KRONLIN_CUPY") == "stand-in":
    fake_cupy.install(pytest.MonkeyPatch())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that run on CuPy are marked gpu."""
    for item in items:
        given = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if any(value is libraries.CUPY for value in given):
            item.add_marker(pytest.mark.gpu)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked gpu are skipped where the library they need, CuPy unless the mark names another, has no device."""
    for mark in item.iter_markers("gpu"):
        reason = libraries.missing_gpu(*mark.args)
        if reason:
            pytest.skip(reason)


@pytest.fixture(params=libraries.installed(), ids=str)
def lib(request: pytest.FixtureRequest) -> libraries.ArrayLibrary:
    """One array library after the other, on each of its devices that a test can reach."""
    return request.param


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A stand-in for CuPy in its place."""
    return fake_cupy.install(monkeypatch)


@pytest.fixture(params=["stand-in", pytest.param("gpu", marks=pytest.mark.gpu)])
def cuda(request: pytest.FixtureRequest) -> libraries.ArrayLibrary:
    """CuPy, played by a stand-in, and itself where there is a GPU."""
    if request.param == "stand-in":
        request.getfixturevalue("fake")
    return libraries.CUPY
