"""CuPy behind the wall: a stand-in shows what it is asked for; where there is a GPU, CuPy itself."""

import importlib.util
import sys
from types import SimpleNamespace

import array_api_strict
import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg

import kronlin as kl
from kronlin.arrays import cholesky, library_named
from kronlin.arrays.on_cupy import CuPy
from kronlin.testing import check_operator
from tests.arrays.stand_in import stand_in
from tests.arrays.triangles import check_triangular_solves
from tests.libraries import CUPY
from tests.matrices import normal
from tests.nets import close

library = library_named("cupy")
LOWER = np.tril(normal((3, 3), "complex128")) + 3 * np.eye(3)
SIDE = normal((3, 2), "complex128", seed=1)


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


def test_sparse_matrices_and_linear_operators_are_those_of_cupyx(monkeypatch):
    modules = {
        "cupyx.scipy.sparse.csr_matrix": scipy.sparse.csr_matrix,
        "cupyx.scipy.sparse.linalg.LinearOperator": scipy.sparse.linalg.LinearOperator,
    }
    stand_in(monkeypatch, modules)
    matrix = library.csr(np.ones(2), np.array([1, 0]), np.array([0, 1, 2]), (2, 2))
    assert np.array_equal(matrix.toarray(), np.eye(2)[::-1])
    assert library.sparse_lu(matrix) is None
    assert library.linear_operator((2, 2), matvec=np.flip, dtype=np.float64).shape == (2, 2)


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


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_sparse_products_on_a_gpu(gpu, dtype):
    dense = np.triu(normal((4, 4), dtype))
    A = kl.aslinearoperator(scipy.sparse.csr_array(dense)).to("cupy")
    check_operator(A, dense)
    check_operator(kl.aslinearoperator(A.matrix), dense)
    x = CUPY.asarray(normal((4,), dtype))
    close(CUPY.numpy(A.to_cupyx().matvec(x)), dense @ normal((4,), dtype), 1e-5)
