"""NumPy behind the wall."""

import numpy as np
import pytest

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
