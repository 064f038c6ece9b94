"""Laws of BNN = Pᴴ M P + Q and its reductions R-BNN1 = Pᴴ M P and R-BNN2 = Pᴴ M."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.twolevel import two_level
from tests.nets import DAMPINGS, NETS
from tests.triples import Triple, deflated_spectrum, spectrum, triples
from tests.twolevel.cases import SPACES, check_formula, check_reference, fisher_triple, matrices, small_fishers

ALL = pytest.mark.parametrize("scheme", ["BNN", "R-BNN1", "R-BNN2"])


@ALL
@given(triple=triples())
def test_dense_formula(scheme, triple):
    check_formula(scheme, triple, triple)


@ALL
@pytest.mark.parametrize("net", small_fishers())
@pytest.mark.parametrize("space", SPACES)
def test_fisher_matrices(scheme, net, space):
    B = check_formula(scheme, *fisher_triple(*small_fishers()[net], space))
    assert B.is_self_adjoint is (scheme != "R-BNN2")
    assert B.is_psd is (scheme != "R-BNN2")
    assert B.is_pd is (scheme == "BNN")


@ALL
@pytest.mark.parametrize("name", NETS[:2])
@pytest.mark.parametrize("lam", DAMPINGS)
@pytest.mark.parametrize("space", ["nico", "spec"])
def test_reference(scheme, name, lam, space):
    check_reference(scheme, name, lam, space)


@given(triples())
def test_spectrum(triple):
    """BNN: 1, k times, and μ; so κ = max(1, μ_max) / min(1, μ_min) ≥ μ_max / μ_min."""
    B, _ = matrices("BNN", triple)
    mu, found = deflated_spectrum(*triple), spectrum(B, triple.A)
    wanted = np.sort(np.concatenate([np.ones(triple.k), mu]))
    np.testing.assert_allclose(found, wanted, atol=1e-9 * triple.condition**0.5 * wanted[-1])


@given(triples(hardest=3))
def test_condition(triple):
    B, _ = matrices("BNN", triple)
    mu, found = deflated_spectrum(*triple), spectrum(B, triple.A)
    kappa, effective = found[-1] / found[0], mu[-1] / mu[0]
    assert kappa == pytest.approx(max(1, mu[-1]) / min(1, mu[0]), rel=1e-6)
    assert kappa >= effective * (1 - 1e-6)
    if mu[0] <= 1 <= mu[-1]:
        assert kappa == pytest.approx(effective, rel=1e-6)


@given(triples())
def test_positive_definite(triple):
    B, _ = matrices("BNN", triple)
    np.testing.assert_allclose(B, B.T, atol=1e-13 * triple.condition * np.abs(B).max())
    assert np.linalg.eigvalsh((B + B.T) / 2)[0] > 0


@given(triples(hardest=3))
def test_made_from_the_adapted_schemes(triple):
    """BNN = (A-DEF2) P + Q = Pᴴ (A-DEF1) + Q."""
    B, wanted = matrices("BNN", triple)
    size = 1e-12 * triple.condition * wanted.sizes["BNN"]
    last, first = (matrices(name, triple)[0] for name in ("A-DEF2", "A-DEF1"))
    assert np.linalg.norm(last @ wanted.P + wanted.Q - B, 2) <= size
    assert np.linalg.norm(wanted.P.T @ first + wanted.Q - B, 2) <= size


@given(triples(), st.floats(0.01, 100))
def test_scaling_the_fine_step_moves_only_mu(triple, c):
    """The ones stay: unlike deflation, BNN is not indifferent to the length of the fine step."""
    A, M, Z = triple
    B, _ = matrices("BNN", Triple(A, c * M, Z))
    wanted = np.sort(np.concatenate([np.ones(triple.k), c * deflated_spectrum(A, M, Z)]))
    np.testing.assert_allclose(spectrum(B, A), wanted, atol=1e-9 * triple.condition**0.5 * wanted[-1])


@given(triples())
def test_eigenvectors_become_one(triple):
    A, M, _ = triple
    k, root = triple.k, np.linalg.cholesky(M)
    w, q = np.linalg.eigh(root.T @ A @ root)
    B, _ = matrices("BNN", Triple(A, M, root @ q[:, :k]))
    wanted = np.sort(np.concatenate([np.ones(k), w[k:]]))
    np.testing.assert_allclose(spectrum(B, A), wanted, atol=1e-9 * triple.condition**0.5 * wanted[-1])


def test_reduced_forms_are_singular():
    triple = Triple(np.diag([1.0, 2.0, 3.0, 5.0]), np.eye(4), np.random.default_rng(0).standard_normal((4, 2)))
    B, _ = matrices("R-BNN1", triple)
    np.testing.assert_allclose(B @ triple.A @ triple.Z, 0, atol=1e-14)
    assert np.linalg.matrix_rank(B, tol=1e-10) == 2
    same, other = matrices("R-BNN2", triple)[0], matrices("DEF2", triple)[0]
    np.testing.assert_array_equal(same, other)
    assert two_level(*triple, "R-BNN2").H.scheme.name == "DEF1"


def test_costs_one_product_with_the_matrix(monkeypatch):
    """Beyond M: U once and Uᴴ once."""
    (A, M, Z), _ = fisher_triple(*small_fishers()["classifier"], "largest")
    B, calls = two_level(A, M, Z, "BNN"), []
    kind = type(B.coarse.AZ.terms[0].factors[0].operators[0])
    for name in ("_matmat", "_rmatmat"):
        original = getattr(kind, name)

        def counted(self, x, name=name, original=original):
            calls.append(name)
            return original(self, x)

        monkeypatch.setattr(kind, name, counted)
    B @ np.ones(A.shape[0])
    assert calls == ["_matmat"] * 2 + ["_rmatmat"] * 2  # two layers
