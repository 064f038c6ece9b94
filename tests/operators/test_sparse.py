"""Sparse: the laws on every format, the rules that keep it sparse, and what it must not touch."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.operators import Sparse
from kronlin.testing import check_operator
from tests.libraries import CUPY
from tests.matrices import DTYPES, hermitian, normal
from tests.operators.laws import close

FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


def scattered(shape, dtype="float64", seed=0):
    """A dense matrix with a third of its entries, and more on the diagonal."""
    kept = np.random.default_rng(seed).random(shape) < 0.3
    return (normal(shape, dtype, seed) * kept + 2 * np.eye(*shape)).astype(dtype)


def sparse(shape, dtype="float64", seed=0):
    """The operator, and its matrix."""
    dense = scattered(shape, dtype, seed)
    return Sparse(scipy.sparse.csr_array(dense)), dense


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)], ids=str)
def test_laws(dtype, shape):
    op, dense = sparse(shape, dtype)
    check_operator(op, dense)
    assert op.dtype == np.dtype(dtype)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_every_format_is_taken(format, kind):
    dense = scattered((4, 4))
    matrix = getattr(scipy.sparse, f"{format}_{kind}")(dense)
    op = kl.aslinearoperator(matrix)
    assert type(op) is Sparse
    close(op @ np.ones(4), dense.sum(axis=1))
    assert np.array_equal(matrix.toarray(), dense)


@given(
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
    st.sampled_from(["float64", "complex128"]),
    st.integers(0, 3),
    st.integers(0, 99),
)
def test_products(shape, dtype, k, seed):
    op, dense = sparse(shape, dtype, seed)
    x, y = normal((shape[1], k), dtype, seed + 1), normal((shape[0], k), dtype, seed + 2)
    np.testing.assert_allclose(op @ x, dense @ x, atol=1e-12)
    np.testing.assert_allclose(op.H @ y, dense.conj().T @ y, atol=1e-12)
    np.testing.assert_allclose(op.T @ y, dense.T @ y, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rules_keep_it_sparse(dtype):
    (op, dense), (other, beside) = sparse((4, 4), dtype), sparse((4, 4), dtype, seed=1)
    tolerance = 1e-5 if dtype in ("float32", "complex64") else 1e-13
    eye = np.eye(4)
    for result, expected in (
        (op @ other, dense @ beside),
        (op + other, dense + beside),
        (op - other, dense - beside),
        (3 * op, 3 * dense),
        (op.H, dense.conj().T),
        (op.T, dense.T),
        (op.damped(0.5), dense + 0.5 * eye),
        (op + 2 * kl.Identity(4, like=op), dense + 2 * eye),
        (kl.algebra.rules.modulus2(op), abs(dense) ** 2),
        (op.inverse().inverse(), dense),
    ):
        assert type(result) is Sparse
        assert result.dtype in (op.dtype, op.kind.real.dtype)
        close(result.to_dense(), expected, tolerance)
    assert type(2j * op) is Sparse
    close((2j * op).to_dense(), 2j * dense, tolerance)


def test_kept_zeros_are_counted_but_change_nothing():
    rows, columns = np.array([0, 0, 1]), np.array([0, 1, 1])
    op = Sparse(scipy.sparse.coo_array((np.array([1.0, 0.0, 2.0]), (rows, columns)), shape=(2, 2)))
    assert repr(op) == "Sparse(2×2, float64, self-adjoint: 3 entries)"
    check_operator(op, np.diag([1.0, 2.0]))


def test_entries_at_one_place_are_added_and_the_given_matrix_is_left_alone():
    data, columns, starts = np.array([3.0, 1.0, 1.0]), np.array([1, 0, 0]), np.array([0, 3, 3])
    given_matrix = scipy.sparse.csr_array((data, columns, starts), shape=(2, 2))
    op = Sparse(given_matrix)
    close(op.to_dense(), np.array([[2.0, 3.0], [0.0, 0.0]]))
    close(op.norm(), np.sqrt(13.0))
    assert data.tolist() == [3.0, 1.0, 1.0]
    assert columns.tolist() == [1, 0, 0]
    assert given_matrix.nnz == 3


def test_a_matrix_in_compressed_rows_is_not_copied():
    matrix = scipy.sparse.csr_array(scattered((4, 4)))
    op = Sparse(matrix)
    assert np.shares_memory(op.matrix.data, matrix.data)
    assert np.shares_memory(op.matrix.indices, matrix.indices)
    assert op.nbytes == matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes
    assert (op + op.astype("float32").astype("float64")).nbytes == op.nbytes


def test_wide_indices_are_not_held_twice():
    matrix = scipy.sparse.csr_array(scattered((4, 4)))
    wide = scipy.sparse.csr_array((matrix.data, matrix.indices.astype("int64"), matrix.indptr.astype("int64")))
    op = Sparse(wide)
    assert op.options["columns"] is op.matrix.indices
    close(op.to_dense(), matrix.toarray())


def test_self_adjointness_is_settled_by_a_look():
    assert Sparse(scipy.sparse.csr_array(hermitian(3, "complex128"))).is_self_adjoint is True
    assert sparse((3, 3))[0].is_self_adjoint is False
    skew = scipy.sparse.csr_array(np.array([[1.0, 1e-3], [0.0, 1.0]]))
    assert Sparse(skew).is_self_adjoint is False
    assert kl.assume(Sparse(scipy.sparse.eye_array(2)), "pd").damped(1.0).is_pd is True
    assert (3 * kl.assume(Sparse(scipy.sparse.eye_array(2)), "pd")).is_pd is True
    assert Sparse(scipy.sparse.csr_array((3, 2))).is_self_adjoint is False


def test_the_gram_matrix_is_psd():
    op, dense = sparse((5, 3), "complex128")
    gram = op.H @ op
    assert type(gram) is Sparse
    assert gram.is_psd is True
    close(gram.to_dense(), dense.conj().T @ dense)
    assert (op.H @ sparse((5, 3), "complex128")[0]).is_psd is None


def test_astype_keeps_the_places():
    op = sparse((4, 4))[0]
    for dtype in ("float32", "complex128"):
        cast = op.astype(dtype)
        assert type(cast) is Sparse
        assert cast.matrix.dtype == dtype
        assert np.shares_memory(cast.matrix.indices, op.matrix.indices)
    assert kl.algebra.Sum(op, op).astype("float32").terms[0].dtype == np.float32


def test_in_larger_expressions():
    op, dense = sparse((3, 3))
    check_operator(kl.Kronecker(op, normal((2, 2))), np.kron(dense, normal((2, 2))))
    check_operator(kl.Kronecker(normal((2, 2)), op), np.kron(normal((2, 2)), dense))
    blocks = kl.BlockDiagonal([op, op, normal((2, 2))])
    check_operator(blocks, scipy.linalg.block_diag(dense, dense, normal((2, 2))))
    check_operator(kl.VStack([op, op]), np.vstack([dense, dense]))


def test_only_libraries_with_sparse_matrices_take_it(lib):
    op = sparse((3, 3))[0]
    if lib.name.startswith("numpy") or lib is CUPY:
        assert type(op.to(lib.asarray([0.0]))) is Sparse
        return
    with pytest.raises(TypeError, match="no sparse matrices"):
        op.to(lib.asarray([0.0]))


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_other_entries_are_refused(dtype):
    with pytest.raises(TypeError, match=f"not {dtype}.*astype"):
        Sparse(scipy.sparse.csr_array(np.eye(2, dtype=dtype)))


def test_bad_input():
    with pytest.raises(ValueError, match=r"shape \(2, 2\) has an entry that is NaN"):
        Sparse(scipy.sparse.csr_array(np.array([[1.0, np.nan], [0.0, 1.0]])))
    with pytest.raises(ValueError, match=r"\(rows, columns\), not \(3,\)"):
        Sparse(scipy.sparse.coo_array(np.ones(3)))
