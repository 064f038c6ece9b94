"""The sparse LU factorisation on the host."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from kronlin.arrays import SingularMatrixError
from kronlin.arrays.sparse_lu import SparseLU
from tests.matrices import DTYPES, adjoint, normal, wide
from tests.nets import close


def scattered(n, dtype="float64", seed=0):
    """A sparse matrix with a random transversal, so that pivoting has to permute, and its dense form."""
    rng = np.random.default_rng(seed)
    dense = normal((n, n), dtype, seed) * (rng.random((n, n)) < 0.3)
    dense[np.arange(n), rng.permutation(n)] += 4
    dense = dense.astype(dtype)
    return scipy.sparse.csr_array(dense), dense


@pytest.mark.parametrize("dtype", DTYPES)
def test_solutions(dtype):
    matrix, dense = scattered(6, dtype)
    b = normal((6, 2), dtype, seed=1)
    tolerance = 1e-5 if dtype in ("float32", "complex64") else 1e-12
    for turned in (False, True):
        x = SparseLU(matrix).solve(b, adjoint=turned)
        assert x.dtype == dtype
        close((adjoint(dense) if turned else dense) @ x, b, tolerance)


@given(st.integers(1, 7), st.integers(0, 999), st.sampled_from(["float64", "complex128"]))
def test_determinants(n, seed, dtype):
    matrix, dense = scattered(n, dtype, seed)
    expected = np.linalg.slogdet(dense)
    if expected.logabsdet < -10:
        return
    sign, logarithm = SparseLU(matrix).slogdet()
    assert abs(sign - expected.sign) < 1e-10
    assert abs(logarithm - expected.logabsdet) < 1e-10


def test_single_precision_is_factored_in_double():
    rows = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-6]], "float32")
    b = np.array([[1.0], [2.0]], "float32")
    x = SparseLU(scipy.sparse.csr_array(rows)).solve(b)
    close(wide(x), np.linalg.solve(wide(rows), wide(b)), 1e-6)


@pytest.mark.parametrize(
    "dense",
    [
        np.zeros((2, 2)),
        np.ones((2, 2)),
        np.diag([1.0, 0.0, 2.0]),
        np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]) / 10,
    ],
    ids=["zero", "ones", "diagonal", "rounding"],
)
def test_a_singular_matrix_is_told(dense):
    with pytest.raises(SingularMatrixError, match=r"singular|rounding error"):
        SparseLU(scipy.sparse.csr_array(dense))


def test_a_badly_scaled_matrix_is_not_singular():
    dense = np.diag([1e-200, 1.0, 1e200])
    close(SparseLU(scipy.sparse.csr_array(dense)).solve(np.diag(dense)[:, None].copy()), np.ones((3, 1)), 1e-14)


def test_nothing_to_solve():
    none = SparseLU(scipy.sparse.csr_array((0, 0)))
    assert none.solve(np.zeros((0, 2))).shape == (0, 2)
    assert none.slogdet() == (1.0, 0.0)
    assert SparseLU(scipy.sparse.csr_array(np.eye(2))).solve(np.zeros((2, 0))).shape == (2, 0)
