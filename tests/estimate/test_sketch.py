"""The sketch, and what leaving out one vector does to its range."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.estimate._sketch import enter, real_if_self_adjoint, sketch
from tests.matrices import each_dtype, eps, hermitian, normal, wide


@each_dtype()
def test_leaving_one_out(lib, dtype):
    a, omega = normal((9, 9), dtype), normal((9, 4), dtype, 1)
    result = sketch(kl.Dense(lib.asarray(a)), lib.asarray(omega))
    y, q, r, s = (wide(lib.numpy(x)) for x in result)
    np.testing.assert_allclose(y, wide(a) @ wide(omega), atol=100 * eps(dtype))
    np.testing.assert_allclose(q @ r, y, atol=100 * eps(dtype))
    for i in range(4):
        basis = np.linalg.qr(np.delete(y, i, axis=1))[0]
        left = q @ (np.eye(4) - np.outer(s[:, i], s[:, i].conj())) @ q.conj().T
        np.testing.assert_allclose(left, basis @ basis.conj().T, atol=1e4 * eps(dtype))


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_a_range_of_lower_dimension_is_kept_whole(lib, rank):
    u = normal((9, rank))
    result = sketch(kl.LowRank(lib.asarray(u)), lib.asarray(normal((9, 5), seed=1)))
    q, s = lib.numpy(result.Q), lib.numpy(result.S)
    np.testing.assert_allclose(np.linalg.norm(s, axis=0), 1)
    for i in range(5):
        left = q @ (np.eye(5) - np.outer(s[:, i], s[:, i])) @ q.T
        np.testing.assert_allclose(left @ u, u, atol=1e-12)


def test_the_door():
    assert isinstance(enter("trace", np.eye(2), 2), kl.Dense)
    with pytest.raises(ValueError, match=r"estimate.trace needs a square A, not Dense\(2×3"):
        enter("trace", np.ones((2, 3)), 2)
    for samples in (1, 2.5):
        with pytest.raises(ValueError, match=r"estimate.trace: samples must be at least 2"):
            enter("trace", np.eye(2), samples)


def test_real_where_it_must_be():
    values = normal((3,), "complex128")
    assert np.iscomplexobj(real_if_self_adjoint(kl.Dense(normal((3, 3), "complex128")), values))
    assert not np.iscomplexobj(real_if_self_adjoint(kl.Dense(hermitian(3, "complex128")), values))
