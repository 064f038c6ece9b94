"""dottest: one pair of vectors tells a wrong adjoint."""

import pytest

import kronlin as kl
from kronlin.testing import dottest
from tests.testing.planted import FAULTS, A


def test_right_and_wrong():
    assert dottest(kl.Dense(A)) is True
    for fault in ("wrong adjoint", "adjoint without conjugate"):
        with pytest.raises(AssertionError, match=r"⟨A x, y⟩ = .*, but ⟨x, Aᴴ y⟩ = "):
            dottest(FAULTS[fault][0])


def test_the_seed_and_tolerance_are_heard():
    scaled = kl.Function(lambda x: A @ x, lambda y: A.T @ y * (1 + 1e-6), shape=A.shape, dtype="float64")
    with pytest.raises(AssertionError):
        dottest(scaled, seed=3)
    assert dottest(scaled, rtol=1e-3, seed=3)
