"""The functions of an operator: their checks, what they keep, and which properties they hand on."""

import numpy as np
import pytest

from kronlin.algebra import Identity, Power, Sum, assume
from kronlin.arrays import NotPositiveDefiniteError, SingularMatrixError, kind
from kronlin.operators import Dense, Diagonal, Kronecker, Spectral
from tests.algebra.bare import Bare, agree, bare
from tests.libraries import NUMPY, STRICT, STRICT_DEVICE
from tests.matrices import DTYPES, each_dtype, hermitian, normal, positive, wide
from tests.nets import close

LOOSE = {"float32": 1e-4, "complex64": 1e-4, "float64": 1e-12, "complex128": 1e-12}
SQUARE_ONLY = ["inverse", "logdet", "slogdet", "trace", "diagonal", "eigh", "eigvalsh", "sqrt"]


def promised(promise, dtype="float64", lib=NUMPY):
    """A bare operator of that promise, and its matrix."""
    a = hermitian(3, dtype) if promise == "self-adjoint" else positive(3, dtype)
    return assume(Bare(lib.asarray(a)), promise), a


@each_dtype()
def test_solve_and_inverse(lib, dtype):
    A, a = promised("pd", dtype, lib)
    b = normal((3, 2), dtype, seed=1)
    exact = np.linalg.solve(wide(a), wide(b))
    for side, due in ((b, exact), (b[:, 0], exact[:, 0]), (b[:, :0], exact[:, :0])):
        x = A.solve(lib.asarray(side))
        assert lib.owns(x)
        assert kind(x).dtype_name == dtype
        close(lib.numpy(x), due, LOOSE[dtype])
    assert type(A.inverse()) is Dense
    assert A.inverse().is_pd is True
    close(lib.numpy(A.inverse().to_dense()), np.linalg.inv(wide(a)), LOOSE[dtype])
    close(lib.numpy(A.pinv().to_dense()), np.linalg.inv(wide(a)), LOOSE[dtype])


@each_dtype()
def test_scalars(lib, dtype):
    A, a = promised("pd", dtype, lib)
    a = wide(a)
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    for found, due, name in (
        (A.trace(), np.trace(a), dtype),
        (A.diagonal(), np.diagonal(a), dtype),
        (A.norm(), np.linalg.norm(a), real),
        (A.logdet(), np.linalg.slogdet(a)[1], real),
        (A.eigvalsh(), np.linalg.eigvalsh(a), real),
    ):
        assert lib.owns(found)
        assert kind(found).dtype_name == name
        close(lib.numpy(found), np.asarray(due), LOOSE[dtype])


def test_a_real_operator_solves_for_a_complex_side_and_the_reverse(lib):
    b = normal((3, 2), "complex128", seed=1)
    A, a = promised("pd", "float64", lib)
    close(lib.numpy(A.solve(lib.asarray(b))), np.linalg.solve(a, b))
    B, c = promised("pd", "complex128", lib)
    close(lib.numpy(B.solve(lib.asarray(b.real))), np.linalg.solve(c, b.real))
    assert kind(B.solve(lib.asarray(b.real))).dtype_name == "complex128"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_solve_refuses_a_side_that_is_not_finite(lib, bad):
    b = np.array([1.0, bad, 2.0])
    with pytest.raises(ValueError, match="cannot solve: b has an entry that is NaN or infinite"):
        promised("pd", lib=lib)[0].solve(lib.asarray(b))


@pytest.mark.parametrize("shape", [(2,), (4, 1), (3, 1, 1), ()])
def test_solve_refuses_a_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"cannot solve with b of shape .*: A has shape \(3, 3\), so pass \(n,\) or"):
        promised("pd")[0].solve(np.ones(shape))


def test_solve_refuses_another_kind():
    A = promised("pd", lib=STRICT)[0]
    for b in (STRICT.asarray(np.ones(3), "float32"), np.ones(3), STRICT_DEVICE.asarray(np.ones(3))):
        with pytest.raises(ValueError, match=r"cannot solve: the operator is .*, b is .*use astype or to"):
            A.solve(b)
    with pytest.raises(TypeError, match="int64"):
        A.solve(STRICT.asarray(np.ones(3), "int64"))


@pytest.mark.parametrize("name", [*SQUARE_ONLY, "solve", "damped", "power"])
def test_square_operators_only(name):
    A, _ = bare((3, 2))
    arguments = {"solve": [np.ones(3)], "damped": [1.0], "power": [2]}.get(name, [])
    told = {"logdet": "slogdet", "eigvalsh": "eigh", "sqrt": "power"}.get(name, name)
    advice = r"use pinv\(\)" if name in ("inverse", "solve") else "defined for square"
    with pytest.raises(ValueError, match=rf"{told} of a 3×2 Bare: .*{advice}"):
        getattr(A, name)(*arguments)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lam", [0.5, 2, 1e-3])
def test_damped_is_exactly_a_multiple_of_the_identity_more(dtype, lam):
    A, a = promised("psd", dtype)
    agree(A.damped(lam), (a + lam * np.eye(3)).astype(dtype), kind_of=Sum)
    assert A.damped(lam).is_pd is True
    assert A.damped(0) is A
    assert promised("self-adjoint")[0].damped(lam).properties == (True, None, None)
    assert bare((3, 3))[0].damped(lam).properties == (None, None, None)


@pytest.mark.parametrize("lam", [-1.0, -1e-300, np.nan, np.inf, -np.inf])
def test_damping_must_be_finite_and_not_negative(lam):
    for A in (promised("pd")[0], Dense(np.eye(3)), Identity(3, dtype="float64"), Kronecker(np.eye(3))):
        with pytest.raises(ValueError, match=rf"damping must be finite and not negative, not {lam}"):
            A.damped(lam)


def test_damping_may_be_a_scalar_of_the_library(lib):
    A, a = promised("psd", lib=lib)
    close(lib.numpy(A.damped(lib.asarray(0.25)).to_dense()), a + np.eye(3) / 4)


def test_a_shift_downward_promises_less():
    A, a = promised("pd")
    shifted = A - 0.5 * Identity(3, like=A)
    agree(shifted, a - np.eye(3) / 2)
    assert shifted.properties == (True, None, None)
    assert (A + 1j * Identity(3, dtype="complex128")).is_self_adjoint is None


@pytest.mark.parametrize(
    ("promise", "told"),
    [("self-adjoint", (True, None, None)), ("psd", (True, True, True)), ("pd", (True, True, True))],
)
def test_the_inverse_inherits(promise, told):
    """An invertible psd operator is pd."""
    A, a = promised(promise)
    close(A.inverse().to_dense(), np.linalg.inv(a), 1e-11)
    assert A.inverse().properties == told


def test_power():
    A, a = promised("pd", "complex128")
    w, q = np.linalg.eigh(a)
    for p, due in ((0.5, Spectral), (-0.5, Spectral), (2, Power), (3.0, Power), (1.7, Spectral), (0, Identity)):
        close(A.power(p).to_dense(), (q * w**p) @ q.conj().T, 1e-12)
        assert type(A.power(p)) is due
        assert A.power(p).is_pd is True
    assert A.power(1) is A
    assert A.power(-1.0) is A.inverse()
    S, s = promised("self-adjoint")
    close(S.power(2).to_dense(), s @ s)
    assert S.power(3).properties == (True, None, None)
    assert S.power(2).properties == (True, True, None)


@pytest.mark.parametrize("p", [np.int64(2), np.float32(2), np.asarray(2.0), 2.0])
def test_an_exponent_may_be_any_real_number(p):
    A, a = bare((3, 3))
    close(A.power(p).to_dense(), a @ a, 1e-13)
    assert type(A.power(p)) is Power


@pytest.mark.parametrize("p", [np.nan, np.inf, 1j])
def test_an_exponent_must_be_finite_and_real(p):
    for A in (promised("pd")[0], Identity(3, dtype="float64"), Diagonal(np.ones(3))):
        with pytest.raises(ValueError, match="the exponent must be a finite real number"):
            A.power(p)


def test_power_refuses():
    S, _ = promised("self-adjoint")
    with pytest.raises(NotPositiveDefiniteError, match=r"power 0\.5 of .* not real: it has the eigenvalue -"):
        S.sqrt()
    with pytest.raises(SingularMatrixError, match="eigenvalue 0"):
        Spectral(np.eye(2), np.array([0.0, 1.0])).power(-0.5)
    with pytest.raises(ValueError, match="self-adjoint"):
        Dense(normal((3, 3))).power(0.5)


def test_eigh_needs_a_self_adjoint_operator():
    A = Dense(normal((3, 3)))
    for function in (A.eigh, A.eigvalsh):
        with pytest.raises(
            ValueError, match=r"eigh needs a self-adjoint operator, and Dense\(3×3, float64\) is not one"
        ):
            function()


def test_eigenvalues_ascend():
    w = np.array([3.0, -1.0, 2.0])
    assert np.array_equal(Diagonal(w).eigvalsh(), np.sort(w))
    assert np.array_equal(Spectral(np.eye(3)[:, :2], np.array([3.0, 1.0]), rest=2.0).eigvalsh(), [1, 2, 3])


def test_what_costs_is_done_once():
    A, _ = promised("pd")
    assert A.eigh() is A.eigh()
    assert A.inverse() is A.inverse()
    assert A.pinv() is A.pinv()
    assert A.H is A.H


def test_logdet_of_a_determinant_that_is_not_positive():
    for A in (Diagonal(np.array([1.0, -2.0])), Diagonal(np.array([1j, 1.0])), Dense(np.zeros((2, 2)))):
        with pytest.raises(ValueError, match=r"the determinant of .* is not positive: use slogdet\(\)"):
            A.logdet()
    assert Diagonal(np.array([-1.0, -2.0])).logdet() == pytest.approx(np.log(2))


def test_slogdet_of_a_singular_operator():
    sign, logarithm = Dense(np.diag([1.0, 0.0])).slogdet()
    assert (sign, logarithm) == (0, -np.inf)


def test_singular_operators_name_the_way_out():
    A = Bare(np.ones((3, 3)))
    for function in (A.inverse, lambda: A.solve(np.ones(3)), lambda: assume(A, "psd").inverse()):
        with pytest.raises(SingularMatrixError, match=r"has no inverse .*A\.damped\(lam\)\.inverse\(\) or A\.pinv\(\)"):
            function()
    close(A.pinv().to_dense(), np.ones((3, 3)) / 9, 1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (3, 3)])
def test_pinv(dtype, shape):
    A, a = bare(shape, dtype=dtype)
    agree(A.pinv(), np.linalg.pinv(wide(a)).astype(dtype), kind_of=Dense)


def test_prepare_does_the_work_of_the_parts_and_returns_the_operator():
    D = assume(Dense(positive(3)), "pd")
    total = D @ Bare(positive(3)) + Bare(np.eye(3))
    assert total.prepare() is total
    assert D._kept("cholesky") is not None


def test_adjoint_of_a_self_adjoint_operator_is_the_operator():
    for A in (Dense(hermitian(3, "complex128")), Diagonal(np.arange(3.0)), Kronecker(hermitian(2), hermitian(2))):
        assert A.H is A
    skew = Dense(np.array([[0.0, 1.0], [-1.0, 0.0]]))
    close(skew.H.to_dense(), -skew.to_dense(), 0)


def test_transpose_of_a_complex_operator_is_not_its_adjoint():
    A, a = bare((3, 2), dtype="complex128")
    close(A.T.to_dense(), a.T, 0)
    close(A.H.to_dense(), a.conj().T, 0)


def test_to_dense_of_a_dense_operator_is_its_array():
    a = normal((3, 2))
    assert Dense(a).to_dense() is a
