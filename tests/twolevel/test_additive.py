"""Laws of AD = M + Q: symmetric positive definite, bounded by the number of blocks, with weights w₁ M + w₂ Q."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import assume, load, save
from kronlin.curvature import FisherRoot, block_diagonal_fisher, fisher
from kronlin.twolevel import two_level
from tests.nets import DAMPINGS, NETS, layer_lists
from tests.triples import SCHEMES, formulas, spectrum, triples
from tests.twolevel.cases import (
    SPACES,
    check_formula,
    check_reference,
    coarse_space,
    fisher_triple,
    small_fishers,
)


@given(triples())
def test_dense_formula(triple):
    check_formula("AD", triple, triple)


@pytest.mark.parametrize("net", small_fishers())
@pytest.mark.parametrize("space", SPACES)
def test_fisher_matrices(net, space):
    assert check_formula("AD", *fisher_triple(*small_fishers()[net], space)).is_pd is True


@pytest.mark.parametrize("name", NETS[:2])
@pytest.mark.parametrize("lam", DAMPINGS)
@pytest.mark.parametrize("space", ["nico", "spec"])
def test_reference(name, lam, space):
    check_reference("AD", name, lam, space)


@given(layer_lists())
def test_bounded_by_the_number_of_blocks(layers):
    """M the inverse of the diagonal blocks of A: λ_max(M A) ≤ L, λ_max(AD) ≤ L + 1."""
    A, L = fisher(layers).damped(0.1), len(layers)
    M = block_diagonal_fisher(layers).damped(0.1).inverse()
    assert spectrum(M.to_dense(), A.to_dense())[-1] <= L * (1 + 1e-10)
    B = two_level(A, M, coarse_space(layers, "nicolaides"), "AD")
    assert spectrum(B.to_dense(), A.to_dense())[-1] <= (L + 1) * (1 + 1e-10)


@given(triples(complex_too=True), st.floats(0.1, 10), st.floats(0.1, 10))
def test_weights(triple, w1, w2):
    """w₁ M + w₂ Q, and still positive definite."""
    A, M, Z = triple
    B, wanted = two_level(A, assume(M, "pd"), Z, "AD", weights=(w1, w2)), formulas(*triple)
    dense = w1 * M + w2 * wanted.Q
    size = 1e-14 * len(A) * triple.condition * max(w1, w2) * wanted.sizes["AD"]
    assert np.linalg.norm(B.to_dense() - dense, 2) <= size
    assert np.linalg.norm(B.H.to_dense() - dense.conj().T, 2) <= size
    assert B.weights == (w1, w2)


def test_weighted_operator():
    A, M, Z = np.diag([1.0, 2.0, 4.0]), np.eye(3), np.ones((3, 1))
    A, M = (assume(matrix, "pd") for matrix in (A, M))
    B = two_level(A, M, Z, "additive", weights=(0.5, 2))
    assert repr(B) == "TwoLevel(3×3, float64, pd: AD = M + Q weighted 0.5 : 2, 1 coarse: Dense(3×3))"
    assert B.is_pd is True
    assert B.H is B
    assert B.astype("float32").weights == (0.5, 2.0)
    np.testing.assert_allclose(B.astype("float32").to_dense(), B.to_dense(), rtol=1e-6)
    assert B.with_scheme("BNN").weights is None
    assert B.with_scheme("AD").weights == (0.5, 2.0)
    np.testing.assert_array_equal(B.with_scheme("BNN").to_dense(), two_level(A, M, Z, "BNN").to_dense())


def test_weights_survive_a_file(tmp_path):
    B = two_level(np.diag([1.0, 2.0, 4.0]), np.eye(3), np.ones((3, 1)), "AD", weights=(0.5, 2))
    save(tmp_path / "file", B)
    loaded = load(tmp_path / "file")
    assert loaded.weights == (0.5, 2.0)
    np.testing.assert_array_equal(loaded.to_dense(), B.to_dense())


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if name != "AD"])
def test_no_weights_elsewhere(scheme):
    with pytest.raises(ValueError, match=rf"{scheme} = .* takes no weights: only AD adds"):
        two_level(np.eye(2), np.eye(2), np.ones((2, 1)), scheme, weights=(1.0, 2.0))


def test_weights_are_positive():
    with pytest.raises(ValueError, match=r"two positive numbers, not \(1.0, 0.0\)"):
        two_level(np.eye(2), np.eye(2), np.ones((2, 1)), "AD", weights=(1.0, 0.0))


def test_an_application_may_be_worse_than_the_fine_step():
    """M = A⁻¹ is already right, and AD adds Q to it; A-DEF2 does not."""
    A, b = np.diag([1.0, 2.0, 4.0]), np.ones(3)
    M, Z = np.linalg.inv(A), np.eye(3)[:, :1]
    np.testing.assert_allclose(two_level(A, M, Z, "AD") @ b, [2, 0.5, 0.25])
    np.testing.assert_allclose(two_level(A, M, Z, "A-DEF2") @ b, [1, 0.5, 0.25])


def test_needs_no_product_with_the_matrix(monkeypatch):
    (A, M, Z), _ = fisher_triple(*small_fishers()["classifier"], "largest")
    B = two_level(A, M, Z, "AD")
    monkeypatch.setattr(type(A.terms[0]), "_matmat", None)
    monkeypatch.setattr(FisherRoot, "_matmat", None)
    monkeypatch.setattr(FisherRoot, "_rmatmat", None)
    assert (B @ np.ones(A.shape[0])).shape == (A.shape[0],)
