"""NumPy behind the wall."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from kronlin.arrays import library_named
from tests.arrays.triangles import check_triangular_solves
from tests.libraries import NUMPY, READ_ONLY
from tests.matrices import DTYPES

library = library_named("numpy")


@pytest.mark.parametrize("lib", [NUMPY, READ_ONLY], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_triangular_solves(lib, dtype):
    check_triangular_solves(lib, dtype)


def test_a_copy_is_its_own():
    x = np.ones(3)
    for copy in (library.to_numpy(x), library.from_numpy(x)):
        assert copy is not x
        copy[0] = 5
        assert x[0] == 1


def test_it_stays_on_the_host():
    assert library.devices() == []
    assert not library.is_accelerator("cpu")


def test_a_failed_factorisation_is_known_by_its_error():
    with pytest.raises(library.linalg_errors):
        np.linalg.cholesky(-np.eye(2))


def test_sparse_matrices_and_linear_operators_are_those_of_scipy():
    matrix = library.csr(np.ones(2), np.array([1, 0]), np.array([0, 1, 2]), (2, 2))
    assert type(matrix) is scipy.sparse.csr_array
    assert np.array_equal(matrix.toarray(), np.eye(2)[::-1])
    assert np.array_equal(library.sparse_lu(2 * matrix).solve(np.array([[1.0], [3.0]])), [[1.5], [0.5]])
    made = library.linear_operator((2, 2), matvec=np.flip, dtype=np.float64)
    assert isinstance(made, scipy.sparse.linalg.LinearOperator)
