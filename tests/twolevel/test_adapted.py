"""Laws of A-DEF1 = M P + Q and A-DEF2 = Pᴴ M + Q: formulas, reference vectors, error propagation, cost."""

import numpy as np
import pytest
from hypothesis import given

from kronlin.twolevel import two_level
from tests.nets import DAMPINGS, NETS
from tests.triples import triples
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
