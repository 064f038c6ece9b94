"""CuPy behind the wall: a stand-in shows what it is asked for; where there is a GPU, CuPy itself."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import kronlin as kl
from kronlin.arrays import NotPositiveDefiniteError, SingularMatrixError, cholesky, inverse_general, library_named
from kronlin.testing import check_operator
from kronlin.testing.strategies import kinds, operators
from tests.arrays.stand_in import stand_in
from tests.arrays.triangles import check_triangular_solves
from tests.gpu import fake_cupy
from tests.libraries import CUPY
from tests.matrices import DOUBLE, DTYPES, adjoint, eps, hermitian, normal, positive, wide
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


@pytest.mark.parametrize("dtype", DTYPES)
def test_triangular_solves(cuda, dtype):
    check_triangular_solves(cuda, dtype)


def test_a_stack_of_triangles_is_solved_in_one_call(fake, monkeypatch):
    calls, solver = [], fake_cupy.solve_triangular
    stand_in(monkeypatch, {"cupyx.scipy.linalg.solve_triangular": lambda *a, **o: calls.append(a) or solver(*a, **o)})
    library.solve_triangular(CUPY.asarray(np.stack([LOWER, 2 * LOWER])), CUPY.asarray(SIDE), adjoint=True)
    assert [x.shape for x in calls[0]] == [(2, 3, 3), (2, 3, 2)]


@pytest.mark.parametrize("function", [cholesky, inverse_general])
def test_a_failure_is_an_error_though_cupy_keeps_silent(cuda, function):
    with pytest.raises((NotPositiveDefiniteError, SingularMatrixError)):
        function(cuda.asarray(np.array([[1.0, 2.0], [2.0, 1.0 if function is cholesky else 4.0]])))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(6, 6), (3, 6, 6), (2, 2, 40, 40), (0, 3, 3), (2, 0, 0)], ids=str)
def test_decompositions(cuda, dtype, shape):
    a = hermitian(shape[-1], dtype, batch=shape[:-2])
    w, q = library.eigh(cuda.asarray(a))
    assert (w.shape, q.shape, q.dtype) == (shape[:-1], shape, np.dtype(dtype))
    w, q = wide(cuda.numpy(w)), wide(cuda.numpy(q))
    close(q * w[..., None, :], wide(a) @ q, 20 * eps(dtype) * max(1, shape[-1]))
    a = positive(shape[-1], dtype, batch=shape[:-2])
    lower = wide(cuda.numpy(library.cholesky(cuda.asarray(a))))
    close(lower @ adjoint(lower), wide(a), 20 * eps(dtype))


@pytest.mark.parametrize("shape", [(5, 6, 6), (2, 4, 130, 130)], ids=str)
def test_wrong_answers_of_the_batched_method_are_noticed(fake, monkeypatch, shape):
    monkeypatch.setitem(fake_cupy.FAULTS, "batched eigh", True)
    a = hermitian(shape[-1], batch=shape[:-2])
    w, q = (CUPY.numpy(x) for x in library.eigh(CUPY.asarray(a)))
    close(q * w[..., None, :], a @ q, 1e-12)


def test_an_answer_that_stays_wrong_is_an_error(fake, monkeypatch):
    monkeypatch.setitem(fake_cupy.FAULTS, "eigh", True)
    with pytest.raises(np.linalg.LinAlgError, match=r"\(4, 4\) float64 .*A.to\("):
        library.eigh(CUPY.asarray(hermitian(4)))


def test_a_wrong_batched_cholesky_factor_is_noticed(fake, monkeypatch):
    right = fake_cupy.cholesky
    monkeypatch.setattr(fake.linalg, "cholesky", lambda a: right(a) if a.ndim == 2 else 2.0 * right(a))
    a = positive(4, batch=(3,))
    lower = CUPY.numpy(library.cholesky(CUPY.asarray(a)))
    close(lower @ adjoint(lower), a, 1e-14)


@pytest.mark.parametrize(("n", "streams"), [(40, 0), (120, 3)])
def test_larger_matrices_go_to_several_streams(fake, n, streams):
    library.eigh(CUPY.asarray(hermitian(n, batch=(3,))))
    assert fake_cupy.EVENTS.count("enter") == streams


def test_calls_inside_of_a_call_stay_on_its_stream(fake):
    def outer():
        return library.concurrently([fake.cuda.get_current_stream] * 2, [1e9, 1e9])

    for pair in library.concurrently([outer, outer], [1e9, 1e9]):
        assert pair[0] is pair[1] is not fake.cuda.Stream.null
    assert library.concurrently([fake.cuda.get_current_stream] * 2, [1e9, 1.0])[0] is fake.cuda.Stream.null


@settings(max_examples=25)
@given(operators(kind=kinds("cupy", dtype=st.sampled_from(DOUBLE)), depth=2))
def check_laws(twin):
    assume(not twin.cancels)
    check_operator(twin.op, twin.dense, rtol=1e-9, libraries=[])


def test_operators_obey_the_laws(cuda):
    check_laws()


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


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_sparse_products_and_the_operators_of_cupyx(cuda, dtype):
    dense = np.triu(normal((4, 4), dtype))
    A = kl.aslinearoperator(scipy.sparse.csr_array(dense)).to("cupy")
    check_operator(A, dense, libraries=[])
    check_operator(kl.aslinearoperator(A.matrix), dense, libraries=[])
    x = cuda.asarray(normal((4,), dtype))
    close(cuda.numpy(A.to_cupyx().matvec(x)), dense @ normal((4,), dtype), 1e-5)


@pytest.mark.gpu
def test_the_solvers_of_cupyx_take_an_operator():
    solver = pytest.importorskip("cupyx.scipy.sparse.linalg").cg
    a = positive(6)
    A = kl.Dense(CUPY.asarray(a))
    x, info = solver(A.to_cupyx(), A.kind.ones(6), tol=1e-12)
    assert info == 0
    close(CUPY.numpy(x), np.linalg.solve(a, np.ones(6)), 1e-8)
