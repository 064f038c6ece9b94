"""Congruence: K diag(d) Kᴴ."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.operators import Congruence
from kronlin.testing import check_operator
from tests.matrices import each_dtype, normal
from tests.operators.laws import check, close

D = np.array([0.5, 3.0, 1.0, 2.0, 4.0, 0.25])


def dense_of(k, d):
    """K diag(d) Kᴴ."""
    return (k * d) @ k.conj().T


@each_dtype()
@pytest.mark.parametrize("d", [D, D - 1.5], ids=["pd", "indefinite"])
def test_laws(lib, dtype, d):
    g, a = (normal((n, n), dtype, n) + 3 * np.eye(n, dtype=dtype) for n in (2, 3))
    d = d.astype(normal((1,), dtype).real.dtype)
    op = Congruence(kl.Kronecker(lib.asarray(g), lib.asarray(a)), lib.asarray(d))
    check(op, dense_of(np.kron(g, a), d), lib)


def test_result_types_and_values():
    k = normal((6, 6), "complex128") + 3 * np.eye(6)
    op, dense = Congruence(k, D), dense_of(k, D)
    for result, due in (
        (op.H, dense),
        (op.T, dense.T),
        (-2 * op, -2 * dense),
        (op.inverse(), np.linalg.inv(dense)),
        (op.pinv(), np.linalg.inv(dense)),
    ):
        assert type(result) is Congruence
        close(result.to_dense(), due, 1e-11)
    assert type(op.inverse().inverse()) is Congruence
    assert op.inverse().inverse() is op


def test_its_definiteness_is_that_of_the_weights():
    k = normal((6, 6)) + 3 * np.eye(6)
    for d, told in ((D, (True, True, True)), (D - 0.25, (True, True, False)), (D - 1, (True, False, False))):
        assert Congruence(k, d).properties == told
    assert (-1 * Congruence(k, D)).is_psd is False


def test_no_product_of_the_full_size_is_formed(monkeypatch):
    """Scalars of a Kronecker K come from its factors."""
    monkeypatch.setattr("kronlin.operators.fallback.DENSE_LIMIT", 5)
    k = [normal((2, 2)) + 3 * np.eye(2), normal((3, 3)) + 3 * np.eye(3)]
    op, dense = Congruence(kl.Kronecker(*k), D), dense_of(np.kron(*k), D)
    close(op.trace(), np.trace(dense), 1e-13)
    close(op.diagonal(), np.diagonal(dense), 1e-13)
    close(op.norm(), np.linalg.norm(dense), 1e-13)
    close(op.logdet(), np.linalg.slogdet(dense)[1], 1e-13)
    with pytest.raises(ValueError, match="above the limit"):
        op.eigh()


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_the_norm_does_not_overflow(size):
    k = normal((6, 6)) + 3 * np.eye(6)
    assert Congruence(k, D * size).norm() == pytest.approx(size * np.linalg.norm(dense_of(k, D)), rel=1e-13)


def test_equal_blocks_are_computed_together():
    ks = [normal((6, 6), seed=s) + 3 * np.eye(6) for s in (0, 1)]
    op = kl.BlockDiagonal([Congruence(k, D) for k in ks])
    assert op.buckets[0].batch == (2,)
    check_operator(op)
    assert type(op.inverse().buckets[0]) is Congruence


def test_bad_input():
    with pytest.raises(ValueError, match="square K, not one of shape"):
        Congruence(np.ones((3, 2)), np.ones(2))
    for d in (np.ones(2), np.ones(3, "float32"), np.ones(3, "complex128")):
        with pytest.raises(ValueError, match=r"takes d as numpy float64 of shape \(3,\)"):
            Congruence(np.eye(3), d)
    with pytest.raises(ValueError, match="NaN or infinite"):
        Congruence(np.eye(2), np.array([1.0, np.inf]))
    with pytest.raises(kl.SingularMatrixError, match="a weight is zero"):
        Congruence(np.eye(2), np.array([1.0, 0.0])).inverse()
