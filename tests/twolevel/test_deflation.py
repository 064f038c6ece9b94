"""Laws of DEF1 = M P and DEF2 = Pᴴ M: an adjoint pair that deflates k eigenvalues to 0 and interlaces the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nets import DAMPINGS, NETS
from tests.triples import Triple, deflated_spectrum, energy_root, spectrum, triples
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


@given(triples())
def test_adjoint_pair(triple):
    one, wanted = matrices("DEF1", triple)
    other, _ = matrices("DEF2", triple)
    assert np.linalg.norm(one - other.T, 2) <= 1e-14 * len(one) * triple.condition * wanted.sizes["DEF1"]


@given(triples())
def test_interlacing(triple):
    """θ_j ≤ μ_j ≤ θ_{j+k}; so the effective condition is at most κ(M A)."""
    theta, k = spectrum(triple.M, triple.A), triple.k
    B, _ = matrices("DEF1", triple)
    root = energy_root(triple.A)
    C = root @ B @ root
    # C is M-deflated on both sides: symmetrise on the complement of A^½ Z, where its nonzero spectrum lives.
    mu = np.sort(np.linalg.eigvals(C).real)[k:]
    slack = 1e-8 * theta[-1]
    assert np.all(theta[:-k] <= mu + slack)
    assert np.all(mu <= theta[k:] + slack)
    np.testing.assert_allclose(mu, deflated_spectrum(*triple), atol=slack)


@given(triples())
def test_eigenvectors_are_removed(triple):
    """Z of k eigenvectors of M A: 0 for these, the other θ unchanged."""
    A, M, _ = triple
    k, root = triple.k, np.linalg.cholesky(M)
    w, q = np.linalg.eigh(root.T @ A @ root)
    B, _ = matrices("DEF2", Triple(A, M, root @ q[:, :k]))
    np.testing.assert_allclose(spectrum(B, A), np.sort(np.concatenate([np.zeros(k), w[k:]])), atol=1e-9 * w[-1])


@given(triples(hardest=3), st.data())
def test_larger_spaces_deflate_more(triple, data):
    """range Z₁ ⊂ range Z₂: μ_max does not grow, μ_min does not fall."""
    small = Triple(triple.A, triple.M, triple.Z[:, : data.draw(st.integers(1, triple.k))])
    mu1, mu2 = deflated_spectrum(*small), deflated_spectrum(*triple)
    found = [spectrum(matrices("DEF1", t)[0], t.A)[t.k :] for t in (small, triple)]
    np.testing.assert_allclose(found[0], mu1, atol=1e-8 * mu1[-1])
    np.testing.assert_allclose(found[1], mu2, atol=1e-8 * mu1[-1])
    assert found[1][-1] <= found[0][-1] * (1 + 1e-7)
    assert found[1][0] >= found[0][0] - 1e-7 * found[0][-1]


@given(triples(), st.floats(0.01, 100))
def test_scaling_the_fine_step_scales_the_spectrum(triple, c):
    """So that the effective condition does not change."""
    A, M, Z = triple
    one, other = (spectrum(matrices("DEF2", Triple(A, factor * M, Z))[0], A) for factor in (1, c))
    np.testing.assert_allclose(other, c * one, atol=1e-8 * c * one[-1])


@BOTH
def test_null_spaces(scheme):
    """DEF1 A Z = 0 and Zᴴ A DEF2 = 0."""
    rng = np.random.default_rng(0)
    triple = Triple(np.diag([1.0, 2.0, 3.0, 5.0]), np.eye(4), rng.standard_normal((4, 2)))
    B, _ = matrices(scheme, triple)
    image = B @ triple.A @ triple.Z if scheme == "DEF1" else triple.Z.T @ triple.A @ B
    np.testing.assert_allclose(image, 0, atol=1e-14)
    assert np.linalg.matrix_rank(B, tol=1e-10) == 2
