"""Laws of BNN = Pᴴ M P + Q and its reductions R-BNN1 = Pᴴ M P and R-BNN2 = Pᴴ M."""

import numpy as np
import pytest
from hypothesis import given

from kronlin.twolevel import two_level
from tests.nets import DAMPINGS, NETS
from tests.triples import Triple, triples
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
def test_positive_definite(triple):
    B, _ = matrices("BNN", triple)
    np.testing.assert_allclose(B, B.T, atol=1e-13 * triple.condition * np.abs(B).max())
    assert np.linalg.eigvalsh((B + B.T) / 2)[0] > 0


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
