"""The defaults of `Library`, written in the array API standard alone, run on its strict implementation."""

import array_api_strict
import numpy as np
import pytest

from kronlin.arrays import Library
from tests.libraries import STRICT, STRICT_DEVICE
from tests.matrices import DTYPES, adjoint, eps, normal, positive
from tests.nets import close


class Plain(Library):
    name = "plain"

    def namespace(self):
        return array_api_strict


@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("turned", [False, True])
def test_solve_triangular(dtype, batch, turned):
    lower = np.tril(normal((*batch, 3, 3), dtype)) + 3 * np.eye(3, dtype=dtype)
    b = normal((*batch, 3, 2), dtype, seed=1)
    x = Plain().solve_triangular(STRICT.asarray(lower), STRICT.asarray(b), adjoint=turned)
    assert STRICT.owns(x)
    assert x.dtype == getattr(array_api_strict, dtype)
    close((adjoint(lower) if turned else lower) @ STRICT.numpy(x), b, 20 * eps(dtype))


@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_factorisations(dtype, batch):
    a = positive(4, dtype, batch=batch)
    w, q = map(STRICT.numpy, Plain().eigh(STRICT.asarray(a)))
    assert q.dtype == a.dtype
    close((q * w[..., None, :]) @ adjoint(q), a, 20 * eps(dtype))
    lower = Plain().cholesky(STRICT.asarray(a))
    close(STRICT.numpy(lower) @ adjoint(STRICT.numpy(lower)), a, 20 * eps(dtype))
    inverse = STRICT.numpy(Plain().inverse_cholesky(lower))
    assert np.array_equal(inverse, adjoint(inverse))
    close(a @ inverse, np.broadcast_to(np.eye(4, dtype=dtype), a.shape), 200 * eps(dtype))


def test_calls_are_made_one_after_the_other():
    made = []
    results = Plain().concurrently([lambda i=i: made.append(i) or i for i in range(3)], [1.0, 3.0, 2.0])
    assert results == made == [0, 1, 2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_widest_dtype(dtype):
    widest = "complex128" if dtype.startswith("complex") else "float64"
    assert Plain().double(getattr(array_api_strict, dtype)) == getattr(array_api_strict, widest)


def test_from_numpy_copies_to_a_device():
    x = np.array([1.0, 2.0])
    made = Plain().from_numpy(x, device=array_api_strict.Device("device1"))
    assert STRICT_DEVICE.owns(made)
    assert STRICT.owns(Plain().from_numpy(x))


def test_a_plain_library_has_no_accelerator_no_switch_and_no_error_of_its_own():
    plain = Plain()
    assert plain.devices() == []
    assert plain.is_accelerator("gpu:0") is False
    assert plain.device_named("gpu:0") == "gpu:0"
    assert plain.enable("float64") is None
    assert plain.linalg_errors == ()


def test_what_must_be_said_by_each_library():
    with pytest.raises(NotImplementedError):
        Library().namespace()
    with pytest.raises(NotImplementedError):
        Library().to_numpy(np.ones(1))


def test_sparse_matrices_and_linear_operators_are_refused_with_advice():
    assert Plain().sparse_lu(None) is None
    with pytest.raises(TypeError, match=r"plain has no sparse matrices.*numpy or cupy.*to_dense"):
        Plain().csr(None, None, None, (1, 1))
    with pytest.raises(TypeError, match="plain has no linear operators"):
        Plain().linear_operator((1, 1))
