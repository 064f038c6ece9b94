"""What all tests share: the array libraries, and how long Hypothesis searches."""

import os

# Before the first import of NumPy and PyTorch: workers of pytest-xdist that each spin a pool of threads slow one
# another down, PyTorch's small operations sixfold.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from tests import libraries

settings.register_profile(
    "ci",
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("long", settings.get_profile("ci"), max_examples=2000, derandomize=False)
settings.load_profile(os.environ.get("KRONLIN_HYPOTHESIS", "ci"))


def _parameters() -> list:
    marks = {"cupy": [pytest.mark.gpu]}
    return [
        pytest.param(library, id=library.name, marks=marks.get(library.name, [])) for library in libraries.installed()
    ]


@pytest.fixture(params=_parameters())
def lib(request: pytest.FixtureRequest) -> libraries.ArrayLibrary:
    """One array library after the other, on each of its devices that a test can reach."""
    return request.param
