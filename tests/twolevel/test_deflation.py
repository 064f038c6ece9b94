"""Laws of DEF1 = M P and DEF2 = Pᴴ M: formulas, reference vectors, null spaces."""

import numpy as np
import pytest
from hypothesis import given

from tests.nets import DAMPINGS, NETS
from tests.triples import Triple, triples
from tests.twolevel.cases import SPACES, check_formula, check_reference, fisher_triple, matrices, small_fishers

BOTH = pytest.mark.parametrize("scheme", ["DEF1", "DEF2"])


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
    assert B.H.scheme.name == {"DEF1": "DEF2", "DEF2": "DEF1"}[scheme]


@BOTH
@pytest.mark.parametrize("name", NETS[:2])
@pytest.mark.parametrize("lam", DAMPINGS)
@pytest.mark.parametrize("space", ["nico", "spec"])
def test_reference(scheme, name, lam, space):
    check_reference(scheme, name, lam, space)


@BOTH
def test_null_spaces(scheme):
    """DEF1 A Z = 0 and Zᴴ A DEF2 = 0."""
    rng = np.random.default_rng(0)
    triple = Triple(np.diag([1.0, 2.0, 3.0, 5.0]), np.eye(4), rng.standard_normal((4, 2)))
    B, _ = matrices(scheme, triple)
    image = B @ triple.A @ triple.Z if scheme == "DEF1" else triple.Z.T @ triple.A @ B
    np.testing.assert_allclose(image, 0, atol=1e-14)
    assert np.linalg.matrix_rank(B, tol=1e-10) == 2
