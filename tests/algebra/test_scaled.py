"""c A: the factor stays outside, and the rules of A stay at hand."""

import numpy as np
import pytest

from kronlin.algebra import Identity, Product, Scaled, Sum, Zero, assume, rules
from kronlin.algebra.properties import PD, PSD, SELF_ADJOINT, UNKNOWN, properties
from kronlin.arrays import kind
from kronlin.operators import Dense, Diagonal, Kronecker, LowRank, Spectral
from kronlin.testing import check_operator
from tests.algebra.bare import Bare, agree, bare
from tests.matrices import DTYPES, each_dtype, hermitian, normal, positive
from tests.nets import close

S_REAL = {"complex64": "float32", "complex128": "float64"}
FACTORS = [2.0, -0.5, 3, -1]


@each_dtype()
def test_a_real_factor_on_every_library(lib, dtype):
    A, a = bare((3, 2), lib, dtype)
    for factor in FACTORS:
        agree(factor * A, (factor * a).astype(dtype), lib, Scaled)
        agree(A * factor, (factor * a).astype(dtype), lib, Scaled)
    agree(A / 4, a / 4, lib, Scaled)
    agree(-A, -a, lib, Scaled)


@each_dtype()
def test_a_complex_factor_on_every_library(lib, dtype):
    A, a = bare((3, 2), lib, dtype)
    wide = {"float32": "complex64", "float64": "complex128"}.get(dtype, dtype)
    agree((1 - 2j) * A, ((1 - 2j) * a).astype(wide), lib, Scaled)
    agree((3 + 0j) * A, 3 * a, lib, Scaled)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factor", [2.5, -1, 0, 0.0, 1 - 2j])
@pytest.mark.parametrize("promise", [None, "self-adjoint", "pd"])
def test_laws(dtype, factor, promise):
    a = {None: normal, "self-adjoint": hermitian, "pd": positive}[promise](
        *([(3, 3)] if promise is None else [3]), dtype
    )
    A = Bare(a) if promise is None else assume(Bare(a), promise)
    wide = a.dtype if not isinstance(factor, complex) else np.result_type(a.dtype, np.complex64)
    check_operator(
        Scaled(A._astype(A.kind.complex) if wide != a.dtype else A, factor=factor), (factor * a).astype(wide)
    )


@each_dtype(["complex64", "complex128"])
def test_real_scalars_of_a_complex_operator_become_complex_arrays(lib, dtype):
    S = 1j * Spectral(lib.asarray(np.eye(2, dtype=dtype)), lib.asarray(np.ones(2), S_REAL[dtype]))
    for got, expected in ((S.trace(), np.asarray(2j)), (S.diagonal(), np.full(2, 1j))):
        assert lib.owns(got)
        assert dtype in str(got.dtype)
        np.testing.assert_allclose(lib.numpy(got), expected, rtol=1e-6)


def test_factors_are_gathered():
    A, _ = bare((3, 3))
    found = 2 * (3 * A)
    assert isinstance(found, Scaled)
    assert found.factor == 6
    assert found.base is A
    assert 1 * A is A
    assert (A / 4) * 4 is A
    assert (-1 * (-A)) is A


def test_factors_move_to_the_front_of_products():
    (A, a), (B, b) = bare((3, 3)), bare((3, 2), seed=1)
    for product in ((2 * A) @ (3 * B), A @ (6 * B), (6 * A) @ B):
        agree(product, 6 * a @ b, kind_of=Scaled)
        assert product.factor == 6
        assert isinstance(product.base, Product)


def test_the_rules_of_the_base_are_kept():
    d = np.array([1.0, 2.0, 4.0])
    K = Kronecker(positive(2), positive(3))
    found = (2 * K) @ (3 * K)
    assert isinstance(found, Scaled)
    assert isinstance(found.base, Kronecker)
    assert isinstance((2 * K).inverse().base, Kronecker)
    assert isinstance((2 * K).pinv().base, Kronecker)
    assert isinstance((2 * K).eigh(), Spectral)
    assert isinstance((2 * K).damped(0.5), Spectral)
    P = Kronecker(*(assume(positive(n), "psd") for n in (2, 3)))
    assert isinstance((2 * P).sqrt().base, Kronecker)
    assert (2 * P).sqrt().factor == 2**0.5
    agree((2 * K).damped(0.5), 2 * K.to_dense() + 0.5 * np.eye(6))
    assert type(2 * Diagonal(d)) is Diagonal
    assert type(2 * Dense(positive(2))) is Dense


@pytest.mark.parametrize(
    ("factor", "known", "told"),
    [
        (2, PD, PD),
        (2, PSD, PSD),
        (2.0, SELF_ADJOINT, SELF_ADJOINT),
        (2, UNKNOWN, UNKNOWN),
        (-2, PD, properties(True, False, False)),
        (-2, PSD, SELF_ADJOINT),
        (-2, properties(psd=False), UNKNOWN),
        (-2, properties(self_adjoint=False), properties(self_adjoint=False)),
        (2, properties(psd=False), properties(psd=False)),
        (0, UNKNOWN, properties(psd=True, pd=False)),
        (1j, PD, UNKNOWN),
        (1j, properties(self_adjoint=False), UNKNOWN),
    ],
)
def test_what_is_known_of_a_multiple(factor, known, told):
    base = Bare(np.eye(2, dtype=complex))._with(known)
    assert Scaled(base, factor=factor).properties == told


def test_a_negative_multiple_of_zero_is_still_psd():
    """-0 is psd: a psd A may be 0, so -A is not known to be indefinite."""
    assert (-assume(Bare(np.zeros((2, 2))), "psd")).is_psd is None


def test_solve_divides(lib):
    A = Scaled(assume(Bare(lib.asarray(positive(3))), "pd"), factor=-4.0)
    b = normal((3, 2))
    close(lib.numpy(A.solve(lib.asarray(b))), np.linalg.solve(-4 * positive(3), b))
    close(lib.numpy(A.inverse().to_dense()), np.linalg.inv(-4 * positive(3)))


def test_scalars_and_determinant():
    A, a = bare((3, 3), dtype="complex128")
    for factor in (-2.0, 1 - 2j):
        S = factor * A
        close(S.trace(), np.asarray(factor * np.trace(a)))
        close(S.diagonal(), factor * np.diagonal(a))
        close(S.norm(), np.asarray(abs(factor) * np.linalg.norm(a)))
        sign, logarithm = S.slogdet()
        due = np.linalg.slogdet(factor * a)
        close(np.asarray(sign), np.asarray(due[0]))
        close(np.asarray(logarithm), np.asarray(due[1]))


def test_zero_times_an_operator_has_no_inverse():
    A = 0 * Bare(np.eye(2))
    for function in (A.inverse, lambda: A.solve(np.ones(2))):
        with pytest.raises(ValueError, match=r"no inverse|singular"):
            function()
    close(A.pinv().to_dense(), np.zeros((2, 2)), 0)
    assert A.slogdet()[1] == -np.inf


def test_projection_scales_both(lib):
    A, a = bare((3, 3), lib)
    Z, z = bare((3, 2), lib, seed=1)
    image, matrix = rules.project(-2 * A, Z)
    close(lib.numpy(image.to_dense()), -2 * a @ z)
    close(lib.numpy(matrix), -2 * z.T @ a @ z)


def test_adjoint_conjugates_the_factor():
    A, a = bare((3, 2), dtype="complex128")
    agree(((1 - 2j) * A).H, ((1 - 2j) * a).conj().T, kind_of=Scaled)
    agree(rules.conjugate((1 - 2j) * A), ((1 - 2j) * a).conj(), kind_of=Scaled)


def test_power_needs_a_positive_factor():
    A = assume(Bare(positive(3)), "pd")
    close((4 * A).power(0.5).to_dense() @ (4 * A).power(0.5).to_dense(), 4 * positive(3))
    close((-2 * A).power(2).to_dense(), 4 * positive(3) @ positive(3))
    with pytest.raises(ValueError, match="not real"):
        (-2 * A).power(0.5)


def test_other_structures_take_the_factor_in():
    A, a = bare((3, 3))
    B, b = bare((3, 3), seed=1)
    agree(2 * (A + B), 2 * (a + b), kind_of=Sum)
    assert isinstance(2 * Zero((3, 3), like=A), Zero)
    assert isinstance(2 * Identity(3, like=A), Scaled)


def test_repr_shows_the_factor():
    assert repr(2.5 * Bare(np.eye(2))) == "Scaled(2×2, float64: 2.5 · Bare(2×2))"


def test_the_trace_of_a_complex_multiple_is_an_array_where_that_of_the_operator_is_real():
    trace = (1j * LowRank(np.ones((2, 1), dtype="complex128"))).trace()
    assert kind(trace).dtype_name == "complex128"
    assert complex(trace) == pytest.approx(2j)
