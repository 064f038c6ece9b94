"""Power: whole powers are products, of any square operator."""

import numpy as np
import pytest

from kronlin.algebra import Identity, Power, Scaled, Zero, assume
from kronlin.arrays import SingularMatrixError
from kronlin.operators import BlockDiagonal, Dense, Diagonal, Function, Kronecker, Spectral, fallback
from kronlin.testing import check_operator
from tests.algebra.bare import Bare, agree, bare
from tests.matrices import DTYPES, each_dtype, hermitian, normal, positive
from tests.nets import close

raised = np.linalg.matrix_power


@each_dtype()
def test_on_every_library(lib, dtype):
    A, a = bare((3, 3), lib, dtype)
    agree(A.power(3), raised(a, 3), lib, Power)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [2, 3])
def test_laws(dtype, p):
    a = normal((3, 3), dtype) + 2 * np.eye(3, dtype=dtype)
    check_operator(Bare(a).power(p), raised(a, p))
    check_operator(assume(Bare(positive(3, dtype)), "pd").power(p), raised(positive(3, dtype), p))
    check_operator(assume(Bare(hermitian(2, dtype)), "self-adjoint").power(p), raised(hermitian(2, dtype), p))


def test_no_matrix_is_formed(monkeypatch):
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 3)
    a = normal((4, 4))
    A = Function(lambda x: a @ x, lambda y: a.T @ y, shape=(4, 4), dtype="float64")
    close(A.power(3) @ np.ones(4), raised(a, 3) @ np.ones(4), 1e-13)
    with pytest.raises(ValueError, match="above the limit"):
        A.power(0.5)


def test_result_types_and_values():
    a = normal((3, 3), "complex128") + 3 * np.eye(3)
    A = Bare(a)
    for op, due in (
        (A.power(2).H, raised(a, 2).conj().T),
        (A.power(2).T, raised(a, 2).T),
        (A.power(2).inverse(), raised(np.linalg.inv(a), 2)),
        (A.power(2).power(3), raised(a, 6)),
    ):
        assert type(op) is Power
        close(op.to_dense(), due, 1e-13)
    assert A.power(2).power(3).exponent == 6
    assert type(A.power(-3)) is Dense
    close(A.power(-3).to_dense(), raised(np.linalg.inv(a), 3), 1e-13)
    assert A.power(2).power(-1).base is A.inverse()
    assert type(A.power(0)) is Identity
    assert type(A.power(2).power(0)) is Identity


def test_its_eigenvectors_are_those_of_the_operator():
    A = assume(Bare(hermitian(3)), "self-adjoint")
    assert A.power(2).eigh().Q is A.eigh().Q
    assert type(A.power(2).sqrt()) is Spectral
    close(A.power(2).sqrt().to_dense() @ A.power(2).sqrt().to_dense(), hermitian(3) @ hermitian(3))


def test_scalars_need_no_matrix(monkeypatch):
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 2)
    a = hermitian(3)
    A = Dense(a)
    sign, logarithm = A.power(3).slogdet()
    close(A.power(2).trace(), np.asarray(np.trace(a @ a)), 1e-13)
    close(sign, np.linalg.slogdet(a)[0], 0)
    close(logarithm, 3 * np.linalg.slogdet(a)[1], 1e-14)


def test_solutions_are_repeated_ones_without_an_inverse():
    a = positive(3)
    A = Dense(a)
    close(A.power(3).solve(np.ones(3)), np.linalg.solve(raised(a, 3), np.ones(3)), 1e-10)
    assert A._kept("inverse") is None


@pytest.mark.parametrize(
    ("op", "kept"),
    [
        (Diagonal(np.array([-1.0, 0.0, 2.0])), Diagonal),
        (Diagonal(np.array([1j, 2.0])), Diagonal),
        (Spectral(np.eye(3)[:, :2], np.array([-1.0, 2.0]), rest=3.0), Spectral),
        (Kronecker(hermitian(2), normal((3, 3))), Kronecker),
        (BlockDiagonal([normal((2, 2)), normal((2, 2), seed=1)]), BlockDiagonal),
        (Identity(3, dtype="float64"), Identity),
        (Zero((2, 2), dtype="float64"), Zero),
        (-2 * Bare(normal((2, 2))), Scaled),
        (2j * Bare(normal((2, 2), "complex128")), Scaled),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("p", [2, 3])
def test_structures_keep_themselves(op, kept, p):
    assert type(op.power(p)) is kept
    close(op.power(p).to_dense(), raised(op.to_dense(), p), 1e-13)
    close(op.power(0).to_dense(), np.eye(op.shape[0]), 0)


def test_negative_powers_of_structures():
    for op in (Diagonal(np.array([-1.0, 2.0])), Kronecker(hermitian(2), normal((2, 2))), -2 * Bare(positive(2))):
        close(op.power(-2).to_dense(), raised(np.linalg.inv(op.to_dense()), 2), 1e-12)
    for op in (Diagonal(np.array([0.0, 2.0])), Zero((2, 2), dtype="float64"), Bare(np.ones((2, 2)))):
        with pytest.raises(SingularMatrixError, match=r"A\.damped"):
            op.power(-2)


def test_factors_too_large_or_too_small_to_raise_stay_with_their_operator():
    for c in (1e200, 1e-200, 10**200):
        op = (c * Bare(np.eye(2) / c)).power(2)
        assert type(op) is Power
        close(op @ np.ones(2), np.ones(2), 1e-14)


def test_equal_blocks_are_raised_together():
    op = BlockDiagonal([Bare(normal((2, 2))), Bare(normal((2, 2), seed=1))]).power(2)
    assert [type(bucket) for bucket in op.buckets] == [Power]
    assert op.buckets[0].batch == (2,)
    close(op.to_dense(), raised(BlockDiagonal([normal((2, 2)), normal((2, 2), seed=1)]).to_dense(), 2), 1e-14)
