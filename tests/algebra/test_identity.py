"""The identity, and how multiples of it merge."""

import numpy as np
import pytest

from kronlin.algebra import Identity, Scaled, Sum, rules
from kronlin.algebra.identity import like_kind
from kronlin.arrays import kind
from kronlin.operators import BlockDiagonal, Dense, Diagonal, Spectral
from kronlin.testing import check_operator
from tests.algebra.bare import agree, bare
from tests.libraries import NUMPY, STRICT_DEVICE
from tests.matrices import DTYPES, each_dtype, normal
from tests.nets import close


@each_dtype()
def test_on_every_library(lib, dtype):
    eye = Identity(3, like=lib.asarray(np.zeros(1), dtype))
    agree(eye, np.eye(3, dtype=dtype), lib, Identity)
    x = lib.asarray(normal((3, 2), dtype))
    assert eye._matmat(x) is x
    assert eye.properties == (True, True, True)


@pytest.mark.parametrize("n", [3, 1, 0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_laws(dtype, n):
    check_operator(Identity(n, dtype=dtype), np.eye(n))
    check_operator(-2 * Identity(n, dtype=dtype), -2 * np.eye(n))


def test_kind_is_that_of_an_array_an_operator_or_a_name():
    like = STRICT_DEVICE.asarray([1.0], "float32")
    for made in (Identity(2, like=like), Identity(2, like=Dense(STRICT_DEVICE.asarray(np.eye(5), "float32")))):
        assert made.kind == kind(like)
    assert Identity(2, like=like, dtype="float64").kind == kind(STRICT_DEVICE.asarray([1.0]))
    assert Identity(2, dtype="complex64").kind == kind(NUMPY.asarray([1.0], "complex64"))
    assert like_kind(like, None, "it") == kind(like)


def test_bad_input():
    with pytest.raises(TypeError, match=r"Identity\(3\) needs like="):
        Identity(3)
    with pytest.raises(ValueError, match=r"Identity\(-1\)"):
        Identity(-1, dtype="float64")
    with pytest.raises(TypeError, match="int64"):
        Identity(3, like=np.arange(3))


def test_products_with_it_are_the_other_operand():
    A, _ = bare((3, 3))
    eye = Identity(3, like=A)
    assert eye @ A is A
    assert A @ eye is A
    assert eye @ eye is eye
    assert eye.H is eye.T is eye.inverse() is eye.pinv() is eye
    assert type(eye.sqrt()) is type(eye.power(-3)) is Identity
    assert rules.modulus2(eye) is rules.conjugate(eye) is eye


def test_a_real_identity_keeps_a_complex_operator():
    A, a = bare((2, 2), dtype="complex128")
    eye = Identity(2, dtype="float64")
    agree(eye @ A, a)
    agree(A @ eye, a)
    agree(A + eye, a + np.eye(2))
    agree(Dense(np.eye(2)) @ Identity(2, dtype="complex128"), np.eye(2, dtype=complex))


def test_another_precision_or_library_is_refused():
    A, _ = bare((2, 2))
    for function in (lambda eye: eye @ A, lambda eye: A @ eye, lambda eye: A + eye, lambda eye: eye - A):
        with pytest.raises(ValueError, match=r"astype"):
            function(Identity(2, dtype="float32"))
        with pytest.raises(ValueError, match=r"\.to\("):
            function(Identity(2, like=STRICT_DEVICE.asarray([1.0])))


@pytest.mark.parametrize(("left", "right"), [(1, 1), (2, 1), (1, -3), (2.5, -0.5), (1j, 2)])
def test_multiples_of_it_merge(left, right):
    eye = Identity(3, dtype="complex128")
    agree(left * eye + right * eye, (left + right) * np.eye(3, dtype=complex), kind_of=Scaled)
    assert (left * eye + right * eye).base is eye


def test_opposite_multiples_leave_nothing(lib):
    eye = Identity(2, like=lib.asarray([1.0]))
    close(lib.numpy((eye - eye).to_dense()), np.zeros((2, 2)), 0)
    assert (eye - eye).is_psd is True


def test_multiples_of_it_merge_inside_a_sum():
    A, a = bare((3, 3))
    eye = Identity(3, like=A)
    for total in (A + 2 * eye + 3 * eye, (2 * eye + A) + 3 * eye, 5 * eye + A, A.damped(2.0).damped(3.0)):
        agree(total, a + 5 * np.eye(3), kind_of=Sum)
        assert len(total.terms) == 2


def test_added_to_a_structure_it_keeps_the_structure():
    eye = Identity(4, dtype="float64")
    d = np.arange(1.0, 5.0)
    for total in (Diagonal(d) + eye, eye + Diagonal(d), 3 * eye - 2 * eye + Diagonal(d)):
        assert type(total) is Diagonal
        close(total.diagonal(), d + 1)
    assert isinstance(Spectral(np.eye(4)[:, :2], d[:2]) - 3 * eye, Spectral)
    assert isinstance(eye + BlockDiagonal([np.eye(2), np.eye(2)]), BlockDiagonal)
    assert isinstance(2 * eye + Dense(np.diag(d)), Dense)


def test_shift_by_minus_one_is_zero_times_identity():
    eye = Identity(2, dtype="float64")
    close((eye - 1 * eye).to_dense(), np.zeros((2, 2)), 0)
    close(eye.damped(1.5).to_dense(), 2.5 * np.eye(2), 0)


def test_scalars(lib):
    eye = Identity(4, like=lib.asarray([1.0], "complex64"))
    assert complex(eye.trace()) == 4
    assert float(eye.norm()) == 2
    assert kind(eye.norm()).dtype_name == "float32"
    assert float(eye.logdet()) == 0
    assert np.array_equal(lib.numpy(eye.diagonal()), np.ones(4))
    assert np.array_equal(lib.numpy(eye.eigvalsh()), np.ones(4))
    assert type(eye.eigh()) is Spectral


def test_projection_is_the_gram_matrix(lib):
    Z, z = bare((3, 2), lib)
    image, matrix = rules.project(Identity(3, like=Z), Z)
    assert image is Z
    close(lib.numpy(matrix), z.T @ z, 1e-14)


def test_it_holds_no_memory():
    assert Identity(10**6, dtype="float64").nbytes == 0
