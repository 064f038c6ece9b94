"""What is no array but multiplies: how it is known, and how an operator becomes SciPy's or cupyx's."""

import sys
from types import ModuleType, SimpleNamespace

import array_api_compat.numpy
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

import kronlin as kl
from kronlin.arrays import home_of, is_linear_map, is_sparse, library_named
from tests.arrays.stand_in import stand_in
from tests.matrices import COMPLEX, REAL, each_dtype, normal
from tests.nets import close

FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_sparse_matrices_are_known(format, kind):
    x = getattr(scipy.sparse, f"{format}_{kind}")(np.eye(2))
    assert is_sparse(x)
    assert home_of(x) == "numpy"


@pytest.mark.parametrize("x", [np.eye(2), [[1.0]], 3.0, None, "text", scipy.sparse.linalg.aslinearoperator(np.eye(2))])
def test_other_things_are_not_sparse(x):
    assert not is_sparse(x)


def test_linear_maps_are_known():
    assert is_linear_map(scipy.sparse.linalg.aslinearoperator(np.eye(2)))
    assert is_linear_map(SimpleNamespace(shape=(2, 2), dtype="float64", matvec=len))
    assert is_linear_map(SimpleNamespace(shape=(2, 2), dtype="float64", matmat=len))
    assert not is_linear_map(SimpleNamespace(shape=(2, 2), matvec=len))
    assert not is_linear_map(SimpleNamespace(shape=(2, 2), dtype="float64", matvec="no function"))
    assert not is_linear_map(SimpleNamespace(shape=2, dtype="float64", matvec=len))
    assert not is_linear_map(SimpleNamespace(shape=(2,), dtype="float64", matvec=len))
    for x in (np.eye(2), 3.0, None, [1.0], scipy.sparse.eye_array(2)):
        assert not is_linear_map(x)


def test_cupyx_is_known_by_its_name():
    base = type("spmatrix", (), {"__module__": "cupyx.scipy.sparse._base"})
    assert home_of(type("csr_matrix", (base,), {"__module__": "elsewhere"})()) == "cupy"
    assert home_of(type("other", (), {"__module__": "cupyx_like"})()) == "numpy"


@each_dtype()
def test_products_through_scipy(lib, dtype):
    dense = normal((3, 2), dtype)
    A = kl.Dense(lib.asarray(dense)).to_scipy()
    assert isinstance(A, scipy.sparse.linalg.LinearOperator)
    assert A.dtype == np.dtype(dtype)
    x, y = normal((2, 2), dtype, seed=1), normal((3, 2), dtype, seed=2)
    tolerance = 1e-5 if dtype in ("float32", "complex64") else 1e-14
    for found, wanted in (
        (A.matvec(x[:, 0]), dense @ x[:, 0]),
        (A.matvec(x[:, :1]), dense @ x[:, :1]),
        (A.matmat(x), dense @ x),
        (A.rmatvec(y[:, 0]), dense.conj().T @ y[:, 0]),
        (A.rmatvec(y[:, :1]), dense.conj().T @ y[:, :1]),
        (A.rmatmat(y), dense.conj().T @ y),
        (A.H @ y, dense.conj().T @ y),
        (A.T @ y, dense.T @ y),
    ):
        assert type(found) is np.ndarray
        assert found.dtype == dtype
        close(found, wanted, tolerance)


@pytest.mark.parametrize(("own", "beside"), list(zip(REAL, COMPLEX, strict=True)))
def test_the_precision_stays_that_of_the_operator(own, beside):
    A = kl.Dense(normal((3, 3), own)).to_scipy()
    for dtype in ("int8", "int64", "float32", "float64"):
        assert A.matvec(np.ones(3, dtype)).dtype == own
    for dtype in COMPLEX:
        assert A.matvec(np.ones(3, dtype)).dtype == beside
    close(A.matvec(1j * np.ones(3)), 1j * normal((3, 3), own).sum(axis=1), 1e-6)


def test_arguments_are_left_alone(lib):
    A = kl.Diagonal(lib.asarray([1.0, 2.0])).to_scipy()
    x = np.ones(2)
    x.setflags(write=False)
    close(A @ x, np.array([1.0, 2.0]), 0)
    assert np.array_equal(x, np.ones(2))


def test_an_operator_without_an_adjoint_says_so_when_it_is_asked():
    A = kl.Function(lambda x: 2 * x, shape=(2, 2), dtype="float64").to_scipy()
    close(A @ np.ones(2), np.full(2, 2.0), 0)
    with pytest.raises(NotImplementedError, match="rmatmat="):
        A.rmatvec(np.ones(2))


def test_cupyx_without_cupy_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ImportError, match=r'pip install "kronlin\[gpu\]"'):
        kl.Dense(np.eye(2)).to_cupyx()


@pytest.fixture
def cupy_in_name_only(monkeypatch):
    """NumPy and SciPy where CuPy and cupyx are looked for."""
    monkeypatch.setitem(sys.modules, "cupy", ModuleType("cupy"))
    monkeypatch.setitem(sys.modules, "array_api_compat.cupy", array_api_compat.numpy)
    stand_in(monkeypatch, {"cupyx.scipy.sparse.linalg.LinearOperator": scipy.sparse.linalg.LinearOperator})


def test_an_operator_of_cupy_becomes_one_of_cupyx(cupy_in_name_only):
    dense = normal((3, 2), "complex64")
    A = kl.Dense(dense)
    A.kind = A.kind._replace(library=library_named("cupy"))
    B = A.to_cupyx()
    assert B.dtype == np.complex64
    assert B.shape == (3, 2)


def test_an_operator_of_another_library_is_not_moved_silently(cupy_in_name_only):
    with pytest.raises(ValueError, match=r"the operator is numpy float64.*A\.to\('cupy'\)"):
        kl.Dense(np.eye(2)).to_cupyx()
