"""What is refused at the door, and in which words; what is scaled comes back as it was."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.krylov import cg
from kronlin.krylov.system import enter, operators

A = np.diag([1.0, 2.0, 3.0])
B = np.ones(3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.ones((2, 3)), B), "square A"),
        ((A, np.ones(2)), r"b has shape \(2,\).*pass b of shape \(3,\) or \(3, k\)"),
        ((A, np.ones((3, 1, 1))), "b has shape"),
        ((A, np.array([1.0, np.nan, 0.0])), "b has an entry that is NaN or infinite"),
        ((A, B, np.ones((3, 1))), "x0 has shape"),
        ((A, B, np.array([np.inf, 0.0, 0.0])), "x0 has an entry"),
        ((A, B.astype("float32")), "mixes numpy float64 with numpy float32"),
        ((A, B, B.astype("float32")), "mixes"),
        ((np.triu(np.ones((3, 3))), B), r"self-adjoint A.*\(A \+ A.H\) / 2"),
        ((-kl.assume(kl.Diagonal(B), "pd"), B), "positive semidefinite A"),
    ],
)
def test_refuses_bad_input(arguments, words):
    with pytest.raises(ValueError, match=words):
        cg(*arguments)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rtol": -1e-3}, "rtol"),
        ({"rtol": float("nan")}, "rtol"),
        ({"atol": float("inf")}, "atol"),
        ({"maxiter": 0}, "maxiter"),
        ({"check_every": 0}, "check_every"),
        ({"M": np.eye(2)}, "of the shape"),
        ({"M": np.eye(3, dtype="float32")}, "mixes"),
    ],
)
def test_refuses_bad_options(options, words):
    with pytest.raises(ValueError, match=words):
        cg(A, B, **options)


def test_refuses_what_is_no_floating_point_array():
    with pytest.raises(TypeError, match="expected float32"):
        cg(A, np.array([1, 2, 3]))
    with pytest.raises(TypeError, match="expected an array"):
        cg(A, [1.0, 2.0, 3.0])


def test_scales_columns_by_powers_of_two_and_back():
    operator, _ = operators("test", A, None, "")
    b = np.stack([B, 1e-200 * B, 0 * B, 1e200 * B], axis=1)
    system = enter("test", operator, None, b, 2 * b)
    mantissa, _ = np.frexp(system.scale)
    assert (mantissa == 0.5).all()
    norms = np.linalg.norm(system.b, axis=0)
    assert (((norms >= 0.5) & (norms < 1)) | (norms == 0)).all()
    np.testing.assert_array_equal(system.unscaled(system.b), b)
    np.testing.assert_array_equal(system.unscaled(system.x0), 2 * b)


def test_starts_at_zero_where_b_is_zero():
    x, info = cg(A, np.zeros(3), np.ones(3))
    assert info == 0
    np.testing.assert_array_equal(x, 0)
