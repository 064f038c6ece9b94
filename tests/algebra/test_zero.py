"""The zero operator of any shape."""

import numpy as np
import pytest

from kronlin.algebra import Identity, Scaled, Zero, rules
from kronlin.arrays import SingularMatrixError, kind
from kronlin.operators import Dense
from kronlin.testing import check_operator
from tests.algebra.bare import agree, bare
from tests.libraries import STRICT_DEVICE
from tests.matrices import DTYPES, each_dtype
from tests.nets import close


@each_dtype()
def test_on_every_library(lib, dtype):
    agree(Zero((2, 3), like=lib.asarray(np.ones(1), dtype)), np.zeros((2, 3), dtype), lib, Zero)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (3, 3), (0, 2), (2, 0), (0, 0)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_laws(dtype, shape):
    check_operator(Zero(shape, dtype=dtype), np.zeros(shape))


def test_what_is_known():
    assert Zero((2, 2), dtype="float64").properties == (True, True, False)
    assert Zero((0, 0), dtype="float64").properties == (True, True, None)
    assert Zero((2, 3), dtype="float64").properties == (False, False, False)


def test_products_and_sums():
    A, _ = bare((3, 2))
    zero = Zero((3, 2), like=A)
    assert A + zero is A
    assert zero + A is A
    assert A - zero is A
    agree(zero - A, -A.to_dense())
    for product, shape in [
        (Zero((4, 3), like=A) @ A, (4, 2)),
        (A @ Zero((2, 5), like=A), (3, 5)),
        (Zero((4, 3), like=A) @ zero, (4, 2)),
        (Zero((4, 3), like=A) @ Identity(3, like=A), (4, 3)),
        (Zero((4, 3), like=A) @ (2 * A), (4, 2)),
    ]:
        assert type(product) is Zero
        assert product.shape == shape
    assert type(zero + zero) is Zero
    assert type(-3 * zero) is Zero
    assert type(zero.H) is type(zero.T) is type(zero.pinv()) is Zero
    assert zero.H.shape == zero.pinv().shape == (2, 3)


def test_complex_company_makes_it_complex():
    A, a = bare((2, 2), dtype="complex128")
    zero = Zero((2, 2), dtype="float64")
    assert (zero @ A).kind == (A @ zero).kind == A.kind
    agree(zero + A, a)
    assert kind(((1 + 1j) * zero).to_dense()).is_complex
    assert not kind(((3 + 0j) * Zero((2, 2), dtype="float64")).to_dense()).is_complex


def test_a_complex_zero_makes_a_real_operator_complex():
    A, a = bare((2, 2))
    agree(A + Zero((2, 2), dtype="complex128"), a.astype(complex))


def test_another_precision_is_refused():
    A, _ = bare((2, 2))
    single = Zero((2, 2), dtype="float32")
    for function in (lambda: A + single, lambda: A @ single, lambda: single @ A):
        with pytest.raises(ValueError, match="astype"):
            function()


def test_damped_it_is_a_multiple_of_the_identity(lib):
    zero = Zero((2, 2), like=lib.asarray([1.0]))
    damped = zero.damped(2.0)
    close(lib.numpy(damped.to_dense()), 2 * np.eye(2), 0)
    close(lib.numpy(damped.solve(lib.asarray([4.0, 6.0]))), np.array([2.0, 3.0]))
    assert damped.is_pd is True


def test_it_has_no_inverse():
    with pytest.raises(SingularMatrixError):
        Zero((2, 2), dtype="float64").inverse()
    with pytest.raises(ValueError, match=r"inverse of a 2×3 Zero"):
        Zero((2, 3), dtype="float64").inverse()


def test_bad_input():
    with pytest.raises(ValueError, match="not negative"):
        Zero((2, -1), dtype="float64")
    with pytest.raises(ValueError, match="pair of sizes"):
        Zero((2, 2, 2), dtype="float64")
    with pytest.raises(TypeError, match="needs like="):
        Zero((2, 2))


def test_it_holds_no_memory_and_keeps_its_device():
    zero = Zero((10**6, 10**6), like=STRICT_DEVICE.asarray([1.0]))
    assert zero.nbytes == 0
    assert STRICT_DEVICE.owns(zero @ STRICT_DEVICE.asarray(np.zeros(10**6)))
    assert zero.trace() == 0
    assert STRICT_DEVICE.owns(zero.norm())


def test_the_square_of_its_entries():
    assert type(rules.modulus2(Zero((2, 3), dtype="complex64"))) is Zero


def test_it_is_absorbed_by_dense_operators_too():
    A = Dense(np.eye(2))
    assert A + Zero((2, 2), like=A) is A


def test_shifted_it_is_a_multiple_of_the_identity():
    damped = Zero((3, 3), dtype="float32").damped(2.0)
    assert type(damped) is Scaled
    assert damped.is_pd is True
    agree(damped, 2 * np.eye(3, dtype="float32"))
