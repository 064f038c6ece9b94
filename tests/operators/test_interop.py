"""SciPy's operators and matrices wherever an operator is taken, and operators in SciPy's solvers."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from scipy.sparse.linalg import LinearOperator

import kronlin as kl
from kronlin.operators import Dense, Foreign, Sparse
from kronlin.testing import check_operator
from tests.libraries import JAX, NUMPY, READ_ONLY
from tests.matrices import DTYPES, normal, positive
from tests.operators.laws import close

MATRIX = normal((3, 3))


def of_scipy(dense):
    """A LinearOperator that knows no more than its products."""
    return LinearOperator(
        dense.shape, matvec=dense.dot, rmatvec=dense.conj().T.dot, matmat=dense.dot, dtype=dense.dtype
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)], ids=str)
def test_laws(dtype, shape):
    dense = normal(shape, dtype)
    for foreign in (of_scipy(dense), scipy.sparse.linalg.aslinearoperator(dense)):
        op = kl.aslinearoperator(foreign)
        assert type(op) is Foreign
        assert op.dtype == np.dtype(dtype)
        check_operator(op, dense)


def test_blocks_go_to_the_map_as_blocks():
    seen = []

    def times(x):
        seen.append(x.shape)
        return 2 * x

    A = kl.aslinearoperator(LinearOperator((3, 3), matvec=times, matmat=times, dtype="float64"))
    for columns in (5, 1, 0):
        assert (A @ np.ones((3, columns))).shape == (3, columns)
    assert seen == [(3, 5), (3, 1)]


def test_maps_that_know_vectors_only():
    dense = normal((3, 2), "complex128")
    bare = SimpleNamespace(shape=(3, 2), dtype="complex128", matvec=dense.dot, rmatvec=dense.conj().T.dot)
    check_operator(kl.aslinearoperator(bare), dense)
    blocks = SimpleNamespace(shape=(3, 2), dtype=np.complex128, matmat=dense.dot, rmatmat=dense.conj().T.dot)
    check_operator(kl.aslinearoperator(blocks), dense)


@pytest.mark.parametrize(
    "foreign",
    [
        LinearOperator((2, 2), matvec=lambda x: 2 * x, dtype="float64"),
        SimpleNamespace(shape=(2, 2), dtype="float64", matvec=lambda x: 2 * x),
    ],
    ids=["scipy", "bare"],
)
def test_maps_without_an_adjoint(foreign):
    A = kl.aslinearoperator(foreign)
    close(A.to_dense(), 2 * np.eye(2))
    with pytest.raises(NotImplementedError, match="has no adjoint: make the linear map with rmatvec="):
        A.H @ np.ones(2)
    close(kl.assume(A, "self-adjoint").H @ np.ones(2), np.full(2, 2.0))
    close(kl.cg(kl.assume(A, "pd"), np.ones(2)).x, np.full(2, 0.5))


def test_an_error_inside_the_adjoint_is_not_taken_for_the_lack_of_one():
    def fail(y):
        raise TypeError("inside")

    for names in (("rmatmat",), ("rmatvec", "rmatmat")):
        broken = SimpleNamespace(shape=(2, 2), dtype="float64", matvec=lambda x: x, **dict.fromkeys(names, fail))
        with pytest.raises(TypeError, match="inside"):
            kl.aslinearoperator(broken).H @ np.ones(2)


def test_the_declared_dtype_is_kept():
    wide = LinearOperator((2, 2), matvec=lambda x: np.asarray(x, "float64"), dtype="float32")
    assert (kl.aslinearoperator(wide) @ np.ones(2, "float32")).dtype == np.float32
    liar = LinearOperator((2, 2), matvec=lambda x: 1j * x, dtype="float64")
    with pytest.raises(TypeError, match="complex128 array does not fit into float64"):
        kl.aslinearoperator(liar) @ np.ones(2)


def test_a_wrong_shape_is_told():
    wrong = SimpleNamespace(shape=(2, 2), dtype="float64", matmat=lambda x: x[:1])
    with pytest.raises(ValueError, match=r"returned shape \(1, 3\) for an argument of shape \(2, 3\)"):
        kl.aslinearoperator(wrong) @ np.ones((2, 3))


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool", "float16"])
def test_integers_are_refused_with_advice(dtype):
    with pytest.raises(TypeError, match=rf'of {dtype}: .*dtype="float64"'):
        kl.aslinearoperator(LinearOperator((2, 2), matvec=lambda x: x, dtype=dtype))


@pytest.mark.parametrize("thing", [[[1.0]], 3, "text", None])
def test_other_things_are_refused(thing):
    with pytest.raises(TypeError, match="expected an operator or an array"):
        kl.aslinearoperator(thing)


def test_operators_and_arrays_are_what_they_are():
    A = kl.Dense(MATRIX)
    assert kl.aslinearoperator(A) is A
    assert type(kl.aslinearoperator(MATRIX)) is Dense


def test_a_moved_map_takes_arrays_of_the_other_library(lib):
    dense = normal((3, 2), "complex64")
    A = kl.aslinearoperator(of_scipy(dense)).to(lib.asarray([0.0]))
    x = normal((2, 2), "complex64", seed=1)
    y = A @ lib.asarray(x)
    assert lib.owns(y)
    close(lib.numpy(y), dense @ x, 1e-6)
    close(lib.numpy(A.H @ y), dense.conj().T @ (dense @ x), 1e-5)


@pytest.mark.parametrize(
    "foreign", [scipy.sparse.csr_array(MATRIX), scipy.sparse.csr_matrix(MATRIX), of_scipy(MATRIX)], ids=type
)
def test_expressions(foreign):
    beside = normal((3, 3), seed=1)
    K = kl.Kronecker(beside)
    for op, dense in (
        (K @ foreign, beside @ MATRIX),
        (K + foreign, beside + MATRIX),
        (K - foreign, beside - MATRIX),
        (foreign + K, beside + MATRIX),
        (kl.Kronecker(foreign, np.eye(2)), np.kron(MATRIX, np.eye(2))),
        (kl.BlockDiagonal([foreign, beside]), scipy.linalg.block_diag(MATRIX, beside)),
        (kl.VStack([foreign, K]), np.vstack([MATRIX, beside])),
        (kl.LowRank(foreign, K), MATRIX @ beside @ MATRIX.T),
    ):
        assert isinstance(op, kl.Operator)
        close(op.to_dense(), dense)
    with pytest.raises(ValueError, match="inner sizes differ"):
        kl.Kronecker(normal((2, 2))) @ foreign


@pytest.mark.parametrize("matrix", [scipy.sparse.csr_array(MATRIX), scipy.sparse.coo_matrix(MATRIX)], ids=type)
def test_sparse_matrices_on_the_left(matrix):
    K = kl.Kronecker(normal((3, 3), seed=1))
    close((matrix @ K).to_dense(), MATRIX @ K.to_dense())
    close((matrix - K).to_dense(), MATRIX - K.to_dense())
    assert type(matrix @ kl.aslinearoperator(matrix)) is Sparse


def test_dtypes_and_libraries_are_checked_as_for_arrays():
    K = kl.Kronecker(np.eye(3, dtype="float32"))
    with pytest.raises(ValueError, match=r"mixes numpy float32 with numpy float64.*astype"):
        K @ scipy.sparse.csr_array(MATRIX)
    with pytest.raises(TypeError, match=r"not int64.*astype"):
        K + scipy.sparse.eye_array(3, dtype="int64")


def test_solvers_take_sparse_matrices():
    A = scipy.sparse.csr_array(positive(4))
    close(kl.cg(A, np.ones(4), rtol=1e-13).x, np.linalg.solve(positive(4), np.ones(4)), 1e-11)
    close(kl.assume(A, "pd").solve(np.ones(4)), np.linalg.solve(positive(4), np.ones(4)))


# SciPy's solvers

A = positive(8)
B = normal((8,), seed=3)


@pytest.fixture(params=["to_scipy", "duck"])
def wrap(request):
    """The two ways into SciPy: by asking for its operator, and as an object with a shape, a dtype and `matvec`."""
    return (lambda op: op.to_scipy()) if request.param == "to_scipy" else scipy.sparse.linalg.aslinearoperator


@pytest.mark.parametrize("name", ["cg", "minres", "gmres", "bicgstab", "lgmres"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_linear_solvers(wrap, name, dtype):
    op = wrap(kl.Dense(A.astype(dtype)))
    assert op.dtype == np.dtype(dtype)
    for b in (B, B[:, None]):
        x, info = getattr(scipy.sparse.linalg, name)(op, b.astype(dtype), rtol=1e-5)
        assert info == 0
        close(A @ x.ravel(), B, 1e-3)


def test_single_precision_operators_in_a_solver_that_works_in_double():
    x, info = scipy.sparse.linalg.cg(kl.Dense(A.astype("float32")).to_scipy(), B, rtol=1e-5)
    assert info == 0
    close(A @ x, B, 1e-3)


def test_a_preconditioner():
    op, M = kl.Dense(A), kl.Diagonal(1 / np.diag(A))
    x, info = scipy.sparse.linalg.cg(op.to_scipy(), B, M=M.to_scipy(), rtol=1e-10)
    assert info == 0
    close(A @ x, B, 1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_eigenvalue_solvers(wrap, dtype):
    dense = positive(8, dtype)
    op = wrap(kl.Dense(dense))
    start = normal((8,), dtype)
    w = scipy.sparse.linalg.eigsh(op, k=2, v0=start, return_eigenvectors=False)
    close(np.sort(w), np.linalg.eigvalsh(dense)[-2:], 1e-4)
    s = scipy.sparse.linalg.svds(op, k=2, v0=start, return_singular_vectors=False)
    close(np.sort(s), np.linalg.svd(dense, compute_uv=False)[1::-1], 1e-4)


def test_lobpcg(wrap):
    dense = positive(20)
    w, _ = scipy.sparse.linalg.lobpcg(wrap(kl.Dense(dense)), normal((20, 2)), maxiter=60, tol=1e-6)
    close(np.sort(w), np.linalg.eigvalsh(dense)[-2:], 1e-5)


def test_operators_of_other_libraries_in_a_solver(lib):
    if lib is JAX:
        return
    x, info = scipy.sparse.linalg.cg(kl.Dense(lib.asarray(A)).to_scipy(), B, rtol=1e-10)
    assert info == 0
    close(A @ x, B, 1e-8)


def test_there_and_back():
    op = kl.aslinearoperator(kl.Kronecker(MATRIX, np.eye(2)).to_scipy())
    assert type(op) is Foreign
    check_operator(op, np.kron(MATRIX, np.eye(2)))


# NumPy on the left


@pytest.mark.parametrize("lib", [NUMPY, READ_ONLY], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_numpy_on_the_left(lib, dtype):
    dense = normal((3, 2), dtype)
    op, x = kl.Kronecker(lib.asarray(dense)), normal((4, 3), dtype, seed=1)
    tolerance = 1e-5 if dtype in ("float32", "complex64") else 1e-14
    assert (x[:0] @ op).shape == (0, 2)
    for left in (x, x[0], x[:1], np.asfortranarray(x), x[::2]):
        product = lib.asarray(left) @ op
        assert type(product) is np.ndarray
        assert product.dtype == dtype
        close(product, left @ dense, tolerance)


@pytest.mark.parametrize(
    "number", [np.float32(2), np.float64(2), np.int64(2), np.array(2.0), np.complex128(2)], ids=type
)
def test_numbers_of_numpy_on_the_left(number):
    op = number * kl.Dense(MATRIX)
    assert isinstance(op, kl.Operator)
    close(op.to_dense(), 2 * MATRIX)
