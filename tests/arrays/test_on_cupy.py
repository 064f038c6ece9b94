"""CuPy behind the wall: a stand-in shows what it is asked for; where there is a GPU, CuPy itself."""

import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import array_api_strict
import numpy as np
import pytest
import scipy.linalg

from kronlin.arrays import cholesky, library_named
from kronlin.arrays.on_cupy import CuPy
from tests.arrays.triangles import check_triangular_solves
from tests.libraries import CUPY
from tests.matrices import normal
from tests.nets import close

library = library_named("cupy")
LOWER = np.tril(normal((3, 3), "complex128")) + 3 * np.eye(3)
SIDE = normal((3, 2), "complex128", seed=1)


def stand_in(monkeypatch, names):
    """Put a module of these names, and its parents, where the import looks."""
    for path, value in names.items():
        *parents, last = path.split(".")
        for depth in range(1, len(parents) + 1):
            name = ".".join(parents[:depth])
            if name not in sys.modules:
                monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setattr(sys.modules[".".join(parents)], last, value, raising=False)


def test_without_cupy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    for ask in (library.namespace, library.devices):
        with pytest.raises(ImportError, match=r'needs cupy.*pip install "kronlin\[gpu\]"'):
            ask()


def test_an_array_is_fetched_from_the_device():
    assert library.to_numpy(SimpleNamespace(get=lambda: "on the host")) == "on the host"


def test_every_device_is_an_accelerator():
    assert library.is_accelerator(0)


def test_devices_are_named(monkeypatch):
    runtime = SimpleNamespace(
        getDeviceCount=lambda: 2,
        getDeviceProperties=lambda i: {"name": b"card %d" % i},
        CUDARuntimeError=RuntimeError,
    )
    stand_in(monkeypatch, {"cupy.cuda": SimpleNamespace(runtime=runtime)})
    assert library.devices() == ["card 0", "card 1"]


def test_a_driver_without_a_device_is_no_error(monkeypatch):
    def fail():
        raise RuntimeError("cudaErrorNoDevice")

    runtime = SimpleNamespace(getDeviceCount=fail, CUDARuntimeError=RuntimeError)
    stand_in(monkeypatch, {"cupy.cuda": SimpleNamespace(runtime=runtime)})
    assert library.devices() == []


@pytest.mark.parametrize("turned", [False, True])
def test_one_triangle_is_solved_by_the_solver_for_triangles(monkeypatch, turned):
    stand_in(monkeypatch, {"cupyx.scipy.linalg.solve_triangular": scipy.linalg.solve_triangular})
    x = library.solve_triangular(LOWER, SIDE, adjoint=turned)
    close((LOWER.conj().T if turned else LOWER) @ x, SIDE, 1e-14)


def test_a_stack_of_triangles_is_solved_in_one_call():
    class WithoutCuda(CuPy):
        def namespace(self):
            return array_api_strict

    lower, side = (array_api_strict.asarray(np.stack([x, 2 * x])) for x in (LOWER, SIDE))
    x = WithoutCuda().solve_triangular(lower, side, adjoint=True)
    close(LOWER.conj().T @ np.array(x[1, ...]), SIDE, 1e-14)


@pytest.fixture
def gpu():
    if importlib.util.find_spec("cupy") is None or not library.devices():
        pytest.skip("no CuPy, or no CUDA device")


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_triangular_solves_on_a_gpu(gpu, dtype):
    check_triangular_solves(CUPY, dtype)


@pytest.mark.gpu
def test_cholesky_on_a_gpu(gpu):
    a = CUPY.asarray(np.array([[4.0, 2.0], [2.0, 3.0]]))
    assert CUPY.owns(cholesky(a))
    close(CUPY.numpy(cholesky(a)), np.linalg.cholesky(CUPY.numpy(a)), 1e-14)
