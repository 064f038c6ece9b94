"""Laws of the fused product: it is that of the formula, for every scheme, with each factor used once or twice."""

import numpy as np
import pytest
from hypothesis import given

import kronlin as kl
from kronlin.twolevel._fused import fused_product
from tests.nets import close
from tests.triples import SCHEMES, triples

SCHEME = pytest.mark.parametrize("scheme", SCHEMES)


def gap(B, x):
    """The largest difference of B x and Bᴴ x from what the formula gives, beside the largest entry."""
    errors = []
    for found, wanted in ((B @ x, B.formula @ x), (B.H @ x, B.formula.H @ x)):
        errors.append(np.abs(found - wanted).max() / np.abs(wanted).max())
    return max(errors)


@SCHEME
@given(triple=triples(hardest=3, complex_too=True))
def test_equals_the_formula(scheme, triple):
    x = np.linspace(-1, 2, 2 * len(triple.A)).reshape(-1, 2).astype(triple.A.dtype)
    assert gap(kl.two_level(*triple, scheme), x) <= 1e-13 * len(x) * triple.condition


@SCHEME
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_with_a_coarse_solver_that_is_not_self_adjoint(scheme, dtype):
    A, M = np.diag(np.arange(1.0, 7.0)).astype(dtype), np.eye(6, dtype=dtype)
    S = np.array([[2.0, 1.0], [0.0, 1.0]], dtype) * (1 if dtype == "float64" else 1 + 0.5j)
    B = kl.two_level(A, M, np.eye(6, 2, dtype=dtype) + 0.3, scheme, coarse_solver=S)
    assert gap(B, np.ones((6, 1), dtype)) <= 1e-14
    close(B.H.to_dense(), B.to_dense().conj().T, 1e-14)


@pytest.mark.parametrize(
    ("scheme", "uses"),
    [("DEF1", 1), ("DEF2", 0), ("A-DEF1", 1), ("A-DEF2", 1), ("BNN", 1), ("R-BNN1", 1), ("R-BNN2", 0)],
)
def test_shares_the_product_with_the_coarse_space(scheme, uses):
    """Zᴴ once (not at all if neither P nor Q stands to the right), though both P and Q begin with it."""
    calls = []

    def counted(y):
        calls.append("ZH")
        return np.eye(2, 6) @ y

    Z = kl.Function(lambda x: np.eye(6, 2) @ x, counted, shape=(6, 2), dtype="float64")
    B = kl.two_level(np.diag(np.arange(1.0, 7.0)), np.eye(6), Z, scheme)
    calls.clear()
    B @ np.ones(6)
    assert len(calls) == uses


def test_other_expressions_are_left_to_their_formula():
    coarse = kl.two_level(np.eye(2), np.eye(2), np.ones((2, 1)), "AD").coarse
    for expression in ("M + Q", "M", "M / 2", "P M", "Pᴴ M P + Q + Q", ""):
        assert fused_product(expression, kl.Dense(np.eye(2)), coarse) is None
    for expression in ("M P", "Pᴴ M", "M P + Q", "Pᴴ M + Q", "Pᴴ M P", "Pᴴ M P + Q"):
        assert fused_product(expression, kl.Dense(np.eye(2)), coarse) is not None
