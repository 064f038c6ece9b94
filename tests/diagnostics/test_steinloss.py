"""The loss of Stein and what is known of definiteness."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.diagnostics.steinloss import Definiteness, stein_loss
from kronlin.operators import fallback
from tests.matrices import hermitian, positive


def pd(n, seed):
    return kl.assume(kl.Dense(positive(n, seed=seed)), "pd")


def test_loss_is_that_of_the_eigenvalues_and_does_not_see_a_change_of_basis():
    A, B, T = pd(4, 0), pd(4, 1), positive(4, seed=2)
    ratios = np.linalg.eigvals(np.linalg.solve(B.to_dense(), A.to_dense())).real
    assert stein_loss(A, B) == pytest.approx(np.sum(ratios - np.log(ratios) - 1), rel=1e-10)
    turned = [kl.assume(kl.Dense(T @ X.to_dense() @ T), "pd") for X in (A, B)]
    assert stein_loss(*turned) == pytest.approx(stein_loss(A, B), rel=1e-8)


def test_loss_of_equals_is_zero_to_the_last_bit():
    assert stein_loss(pd(30, 0), pd(30, 0)) == 0.0


def test_a_promise_is_taken_and_nothing_is_decomposed(monkeypatch):
    monkeypatch.setattr(kl.Dense, "eigvalsh", lambda self: pytest.fail("the spectrum was computed"))
    found = Definiteness("A", kl.assume(kl.Dense(positive(3)), "psd"), 0.1)
    assert (found.lowest, found.lack, found.remark) == (None, "", "")
    low = Definiteness("A", kl.LowRank(np.ones((3, 1))), 0.0)
    assert (low.lowest, low.remark) == (None, "A is singular")


def test_rounding_is_no_sign():
    A = positive(6, condition=1e3)
    w, Q = np.linalg.eigh(A)
    for lowest, lack in ((1e-18, "singular"), (-1e-18, "singular"), (-1e-6, "indefinite"), (1e-6, "")):
        B = (Q * np.r_[lowest, w[1:]]) @ Q.T
        assert Definiteness("A", kl.Dense((B + B.T) / 2), 0.0).lack == lack


def test_of_what_is_too_large_to_decompose_a_negative_eigenvalue_still_shows(monkeypatch):
    def scaled(c):
        return kl.Function(lambda x: c * x, lambda x: c * x, shape=(6, 6), dtype="float64")

    monkeypatch.setattr(fallback, "DENSE_LIMIT", 4)
    monkeypatch.setattr("kronlin.diagnostics.steinloss.DENSE_LIMIT", 4)
    assert Definiteness("A", scaled(1.0), 1.0).remark == "A is too large to tell whether it is definite"
    assert Definiteness("A", scaled(-1.0), 0.5).remark == "A is indefinite (lowest eigenvalue -1), indefinite with λ"
    mended = Definiteness("A", scaled(-1.0), 2.0)
    assert mended.lowest == pytest.approx(-1.0)
    assert mended.lack == "too large to tell whether it is definite"


def test_another_error_is_not_taken_for_size():
    found = Definiteness("A", kl.Dense(hermitian(3) + np.triu(np.ones((3, 3)))), 0.0)
    with pytest.raises(ValueError, match="self-adjoint"):
        _ = found.lack
