"""How the operators are held against their dense twin on every array library."""

import numpy as np

from kronlin.testing import check_operator
from tests.libraries import JAX, NUMPY, ArrayLibrary
from tests.matrices import adjoint, normal, wide


def check(op, dense: np.ndarray, lib: ArrayLibrary) -> None:
    """All laws, on this library and from NumPy to one other; on JAX, which compiles for every shape, products alone."""
    if lib is not JAX:
        check_operator(op, dense, libraries=["array_api_strict"] if lib is NUMPY else [])
        return
    dense, dtype = wide(dense), op.kind.dtype_name
    tolerance = 1e-12 if op.kind.eps < 1e-10 else 1e-4
    for operator, matrix in ((op, dense), (op.H, adjoint(dense))):
        x = normal((matrix.shape[1], 2), dtype, seed=5)
        y = operator @ lib.asarray(x)
        assert lib.owns(y)
        np.testing.assert_allclose(
            lib.numpy(y), matrix @ wide(x), rtol=0, atol=tolerance * (1 + abs(matrix).max()) * 30
        )


def close(got, expected: np.ndarray, rtol: float = 1e-12) -> None:
    """Equal within `rtol` of the largest expected entry."""
    np.testing.assert_allclose(np.asarray(got), expected, rtol=0, atol=rtol * max(1.0, float(abs(expected).max())))
