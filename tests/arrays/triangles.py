"""The law of triangular solves, which each library keeps in its own words."""

import numpy as np

from kronlin.arrays import kind
from tests.matrices import adjoint, eps, normal
from tests.nets import close


def check_triangular_solves(lib, dtype):
    """L x = b and Lᴴ x = b, for one matrix, a stack, one matrix on a stack of sides, and no row at all."""
    for matrix_batch, side_batch, n in [((), (), 3), ((2,), (2,), 3), ((), (2,), 3), ((), (), 0)]:
        lower = np.tril(normal((*matrix_batch, n, n), dtype)) + 3 * np.eye(n, dtype=dtype)
        b = normal((*side_batch, n, 2), dtype, seed=1)
        given = lib.asarray(lower), lib.asarray(b)
        for turned in (False, True):
            x = kind(given[0]).library.solve_triangular(*given, adjoint=turned)
            assert lib.owns(x)
            assert kind(x) == kind(given[0])
            close((adjoint(lower) if turned else lower) @ lib.numpy(x), b, 20 * eps(dtype))
        assert np.array_equal(lib.numpy(given[1]), b)
