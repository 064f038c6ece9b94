"""array-api-strict behind the wall, with its second device in the part of a GPU."""

import array_api_strict
import numpy as np
import pytest

from kronlin.arrays import library_named
from tests.arrays.triangles import check_triangular_solves
from tests.libraries import STRICT, STRICT_DEVICE
from tests.matrices import DTYPES

library = library_named("array_api_strict")


@pytest.mark.parametrize("lib", [STRICT, STRICT_DEVICE], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_triangular_solves(lib, dtype):
    check_triangular_solves(lib, dtype)


@pytest.mark.parametrize("lib", [STRICT, STRICT_DEVICE], ids=str)
def test_there_and_back(lib):
    x = np.array([[1.0, 2.0]])
    made = library.from_numpy(x, device=lib.device)
    assert lib.owns(made)
    back = library.to_numpy(made)
    assert type(back) is np.ndarray
    assert np.array_equal(back, x)
    back[:] = 0
    assert np.array_equal(lib.numpy(made), x)


def test_the_second_device_counts_as_an_accelerator():
    assert library.is_accelerator(STRICT_DEVICE.device)
    assert not library.is_accelerator(STRICT.device)


def test_devices_have_names():
    assert library.device_named("device1") == STRICT_DEVICE.device


def test_a_failed_factorisation_is_known_by_its_error():
    with pytest.raises(library.linalg_errors):
        array_api_strict.linalg.cholesky(STRICT.asarray(-np.eye(2)))
