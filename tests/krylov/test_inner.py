"""The inner product conjugates its first argument and stays real, on every array library."""

import numpy as np
import pytest

from kronlin.krylov._inner import inner


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_is_the_real_part_column_by_column(lib, dtype):
    random = np.random.default_rng(0)
    x, y = (random.standard_normal((2, 5, 3)) + 1j * random.standard_normal((2, 5, 3))).astype("complex128")
    if "float" in dtype:
        x, y = x.real, y.real
    result = inner(lib.asarray(x, dtype), lib.asarray(y, dtype))
    assert lib.numpy(result).dtype.kind == "f"
    np.testing.assert_allclose(lib.numpy(result), np.sum(x.conj() * y, axis=0).real, rtol=1e-4)
