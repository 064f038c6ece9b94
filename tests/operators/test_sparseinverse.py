"""SparseInverse: exact solutions, inverses and determinants of sparse matrices."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.operators import Sparse, SparseInverse
from kronlin.testing import check_operator
from tests.matrices import DTYPES, normal
from tests.operators.laws import close
from tests.operators.test_sparse import sparse


@pytest.mark.parametrize("dtype", DTYPES)
def test_laws(dtype):
    op, dense = sparse((5, 5), dtype)
    inverse = op.inverse()
    assert type(inverse) is SparseInverse
    check_operator(inverse, np.linalg.inv(dense.astype("complex128" if np.iscomplexobj(dense) else "float64")))
    assert inverse.inverse() is op


@given(st.integers(1, 6), st.integers(0, 3), st.integers(0, 99), st.sampled_from(["float64", "complex128"]))
def test_solutions(n, k, seed, dtype):
    op, dense = sparse((n, n), dtype, seed)
    if np.linalg.cond(dense) > 1e6:
        return
    b = normal((n, k), dtype, seed)
    np.testing.assert_allclose(dense @ op.solve(b), b, atol=1e-8)
    np.testing.assert_allclose(dense.conj().T @ (op.inverse().H @ b), b, atol=1e-8)


def test_it_is_factored_once(monkeypatch):
    op, dense = sparse((4, 4))
    library = type(op.kind.library)
    calls, real = [], library.sparse_lu
    monkeypatch.setattr(library, "sparse_lu", lambda self, matrix: calls.append(1) or real(self, matrix))
    op.prepare()
    op.solve(np.ones(4))
    close(op.inverse() @ np.ones(4), np.linalg.solve(dense, np.ones(4)))
    close(op.slogdet()[1], np.linalg.slogdet(dense)[1])
    assert calls == [1]


def test_it_serves_where_a_dense_matrix_would_not_fit():
    n = 50_000
    A = kl.aslinearoperator(scipy.sparse.diags_array([[-1.0] * (n - 1), [2.5] * n], offsets=[-1, 0]))
    x = A.solve(np.ones(n))
    close(A @ x, np.ones(n))
    close(A.logdet(), n * np.log(2.5))
    assert type(A.damped(1.0).inverse()) is SparseInverse


def test_what_is_known_is_handed_to_the_inverse():
    A = kl.assume(Sparse(scipy.sparse.csr_array(np.diag([1.0, 2.0]))), "pd")
    assert A.inverse().is_pd is True
    assert A.inverse().H is A.inverse()
    assert A.inverse().astype("float32").dtype == np.float32


@pytest.mark.parametrize("dense", [np.ones((3, 3)), np.diag([1.0, 0.0])], ids=["ones", "diagonal"])
def test_a_singular_matrix_is_told_with_the_way_out(dense):
    op = Sparse(scipy.sparse.csr_array(dense))
    assert op.prepare() is op
    for ask in (op.inverse, lambda: op.solve(np.ones(len(dense)))):
        with pytest.raises(kl.SingularMatrixError, match=r"has no inverse.*damped\(lam\)"):
            ask()
    assert op.slogdet() == (0.0, -np.inf)
    with pytest.raises(ValueError, match="not positive"):
        op.logdet()


def test_a_solution_without_a_right_digit_is_refused():
    n = 60
    rows = np.eye(n) - np.triu(np.ones((n, n)), 1)
    with pytest.raises(kl.SingularMatrixError, match="beyond 1/eps"):
        Sparse(scipy.sparse.csr_array(rows)).solve(np.ones(n))


def test_a_library_without_factors_uses_the_dense_method(monkeypatch):
    op, dense = sparse((3, 3))
    monkeypatch.setattr(type(op.kind.library), "sparse_lu", lambda self, matrix: None)
    assert type(op.inverse()) is kl.Dense
    close(op.solve(np.ones(3)), np.linalg.solve(dense, np.ones(3)))
    close(op.slogdet()[1], np.linalg.slogdet(dense)[1])


def test_rectangular_ones_are_refused():
    with pytest.raises(ValueError, match="inverse of a 3×2 Sparse: use pinv"):
        sparse((3, 2))[0].inverse()
    assert sparse((3, 2))[0].prepare().shape == (3, 2)
