"""JAX behind the wall, with and without its double precision."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from kronlin.arrays import library_named
from tests.arrays.triangles import check_triangular_solves
from tests.house.tree import ROOT
from tests.libraries import JAX
from tests.matrices import DOUBLE

jax = pytest.importorskip("jax")
library = library_named("jax")


@pytest.fixture
def x64():
    library.enable("float64")


@pytest.mark.parametrize("dtype", DOUBLE)
def test_triangular_solves(x64, dtype):
    check_triangular_solves(JAX, dtype)


def test_there_and_back(x64):
    x = np.array([1.0, 2.0])
    made = library.from_numpy(x)
    assert JAX.owns(made)
    back = library.to_numpy(made)
    back[0] = 5
    assert np.array_equal(JAX.numpy(made), x)


@pytest.mark.parametrize("entries", [[np.inf, -np.inf], [np.nan], [np.inf]])
def test_what_is_not_finite_survives_the_sum(entries):
    assert not library.all_finite(jax.numpy.asarray([1.0, *entries]))
    assert not library.all_finite(jax.numpy.asarray([1.0, *entries]) + 1j)


def test_an_overflow_of_the_sum_is_finite():
    x = jax.numpy.full((3,), 3e38, "float32")
    assert not bool(jax.numpy.isfinite(x.sum()))
    assert library.all_finite(x)


def test_devices_are_named_and_told_from_the_host(monkeypatch):
    card = SimpleNamespace(device_kind="a card", platform="gpu")
    assert library.is_accelerator(card)
    assert not library.is_accelerator(jax.devices("cpu")[0])
    monkeypatch.setattr(jax, "devices", lambda: [card, SimpleNamespace(device_kind="cpu", platform="cpu")])
    assert library.devices() == ["a card"]


WITHOUT_DOUBLE = """
import jax, numpy as np
from kronlin.arrays import cholesky, inverse_positive, library_named
library = library_named("jax")
library.enable("float32")
assert not jax.config.jax_enable_x64
a = library.from_numpy(np.array([[4, 2], [2, 3]], np.float32))
assert library.double(a.dtype) == a.dtype
assert cholesky(a).dtype == inverse_positive(a).dtype == a.dtype
try:
    library.from_numpy(np.ones(2))
except ValueError as error:
    assert "turn float64 into float32" in str(error) and "jax_enable_x64" in str(error), error
else:
    raise AssertionError("float64 became float32")
library.enable("complex128")
assert library.from_numpy(np.ones(2)).dtype == "float64"
assert np.dtype(library.double(a.dtype)) == "float64"
"""


def test_without_the_switch_nothing_is_narrowed_in_silence():
    """In a process of its own, since the switch is one of the whole process."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT_DOUBLE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.gpu
def test_on_a_gpu(x64):
    cards = [device for device in jax.devices() if device.platform != "cpu"]
    if not cards:
        pytest.skip("JAX sees no accelerator")
    made = library.from_numpy(np.ones(2), device=cards[0])
    assert library.is_accelerator(made.device)
    assert np.array_equal(library.to_numpy(made), np.ones(2))
