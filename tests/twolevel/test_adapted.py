"""Laws of A-DEF1 = M P + Q and A-DEF2 = Pᴴ M + Q: an adjoint pair; one application of A-DEF2 cannot hurt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.twolevel import two_level
from tests.nets import DAMPINGS, NETS
from tests.triples import deflated_spectrum, energy_norm, formulas, spectrum, triples
from tests.twolevel.cases import SPACES, check_formula, check_reference, fisher_triple, matrices, small_fishers

BOTH = pytest.mark.parametrize("scheme", ["A-DEF1", "A-DEF2"])


@BOTH
@given(triple=triples())
def test_dense_formula(scheme, triple):
    check_formula(scheme, triple, triple)


@BOTH
@pytest.mark.parametrize("net", small_fishers())
@pytest.mark.parametrize("space", SPACES)
def test_fisher_matrices(scheme, net, space):
    B = check_formula(scheme, *fisher_triple(*small_fishers()[net], space))
    assert B.is_self_adjoint is False
    assert B.H.scheme.name == {"A-DEF1": "A-DEF2", "A-DEF2": "A-DEF1"}[scheme]


@BOTH
@pytest.mark.parametrize("name", NETS[:2])
@pytest.mark.parametrize("lam", DAMPINGS)
@pytest.mark.parametrize("space", ["nico", "spec"])
def test_reference(scheme, name, lam, space):
    check_reference(scheme, name, lam, space)


@given(triples())
def test_adjoint_pair(triple):
    one, wanted = matrices("A-DEF1", triple)
    other, _ = matrices("A-DEF2", triple)
    assert np.linalg.norm(one - other.T, 2) <= 1e-14 * len(one) * triple.condition * wanted.sizes["A-DEF1"]


@given(triples(hardest=3))
def test_error_propagation(triple):
    """I - (A-DEF2) A = Pᴴ (I - M A) and I - (A-DEF1) A = (I - M A) Pᴴ."""
    A, M, _ = triple
    eye = np.eye(len(A))
    last, wanted = matrices("A-DEF2", triple)
    first, _ = matrices("A-DEF1", triple)
    size = 1e-12 * triple.condition * wanted.sizes["A-DEF1"] * np.linalg.norm(A, 2)
    assert np.linalg.norm(eye - last @ A - wanted.P.T @ (eye - M @ A), 2) <= size
    assert np.linalg.norm(eye - first @ A - (eye - M @ A) @ wanted.P.T, 2) <= size


def check_one_application(A, M, Z, B, b):
    """Never a larger error than M b; the squared error drops by βᵀ E β; the residual is orthogonal to Z."""
    solution, fine, found = np.linalg.solve(A, b), M @ b, B @ b
    before, after = energy_norm(A, fine - solution), energy_norm(A, found - solution)
    coarse = formulas(A, M, Z)
    slack = 1e-9 * (before + energy_norm(A, solution))
    assert after <= before + slack
    correction = coarse.Q @ (b - A @ fine)
    drop = correction @ A @ correction  # = βᵀ E β for the correction Z β
    np.testing.assert_allclose(before**2 - after**2, drop, atol=1e-8 * (before**2 + energy_norm(A, solution) ** 2))
    residual = Z.T @ (b - A @ found) / np.linalg.norm(Z, axis=0)
    size = np.linalg.norm(A, 2) * np.linalg.norm(found) + np.linalg.norm(b)
    assert np.abs(residual).max() <= 1e-9 * size


@given(triples(hardest=4), st.integers(0, 2**32 - 1))
def test_one_application(triple, seed):
    b = np.random.default_rng(seed).standard_normal(len(triple.A))
    check_one_application(*triple, two_level(*triple, "multiplicative"), b)


@pytest.mark.parametrize("net", small_fishers())
@pytest.mark.parametrize("space", SPACES)
def test_one_application_on_fisher_matrices(net, space):
    operators, triple = fisher_triple(*small_fishers()[net], space)
    if space == "smallest-nonzero" and np.linalg.matrix_rank(triple.Z) < triple.k:
        pytest.fail("eigenvectors are independent")
    check_one_application(*triple, two_level(*operators, "A-DEF2"), np.linspace(-1, 3, len(triple.A)))


@BOTH
@given(triple=triples())
def test_spectrum(scheme, triple):
    """1, k times, and μ."""
    B, _ = matrices(scheme, triple)
    mu = deflated_spectrum(*triple)
    wanted = np.sort(np.concatenate([np.ones(triple.k), mu]))
    # The eigenvalue 1 may be defective together with a μ near 1: half of the digits.
    np.testing.assert_allclose(spectrum(B, triple.A), wanted, atol=1e-5 * wanted[-1])
    trace = wanted.sum()
    np.testing.assert_allclose(np.trace(B @ triple.A), trace, atol=1e-9 * triple.condition * trace)


def test_costs_one_product_with_a_root(monkeypatch):
    """Beyond M, half a product with A: U, or Uᴴ, once."""
    (A, M, Z), _ = fisher_triple(*small_fishers()["classifier"], "largest")
    for scheme, wanted in (("A-DEF1", ["_matmat"]), ("A-DEF2", ["_rmatmat"])):
        B = two_level(A, M, Z, scheme)
        calls = []
        with monkeypatch.context() as patch:
            kind = type(B.coarse.AZ.terms[0].factors[0].operators[0])
            for name in ("_matmat", "_rmatmat"):
                original = getattr(kind, name)

                def counted(self, x, name=name, original=original, calls=calls):
                    calls.append(name)
                    return original(self, x)

                patch.setattr(kind, name, counted)
            B @ np.ones(A.shape[0])
        assert calls == wanted * 2  # two layers
