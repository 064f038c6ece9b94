"""The result behaves as SciPy's pair."""

import numpy as np
import pytest

from kronlin.krylov import cg


def test_unpacks_and_indexes():
    result = cg(np.diag([1.0, 4.0]), np.array([1.0, 1.0]))
    x, info = result
    assert result[0] is x is result.x
    assert result[1] == info == result.info == 0
    assert result[-1] == 0
    assert len(result) == 2
    with pytest.raises(IndexError):
        result[2]


def test_tells_its_status():
    result = cg(np.diag([1.0, 4.0]), np.array([1.0, 1.0]), maxiter=1, rtol=1e-10)
    assert repr(result) == f"KrylovResult({result.status})"
    assert result.status.startswith("not converged: after 1 iteration the relative residual is")
    assert result.status.endswith("(wanted 1.0e-10)")
    assert result.info == 1
