"""Which approximation is nearer to a block of the Fisher matrix, in the Frobenius norm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Sum
from tests.curvature.anylayers import any_layers, shapes_of
from tests.nets import fisher_by_definition, mlp_layers
from tests.operators.test_rearranged import by_definition as rearranged

SHARING = st.sampled_from(["expand", "reduce"])
PRODUCTS = {
    "expand": kl.kfac,
    "reduce": lambda layers: kl.kfac(layers, "reduce"),
    "tkfac": kl.tkfac,
    "foof": kl.foof,
    "shampoo": kl.shampoo,
}
ROUNDING = 1e-9
"""Of a term that is searched for step by step, beside the norm of the block."""


def errors(layers, approximation):
    """For each layer."""
    blocks = zip(layers, approximation.blocks, strict=True)
    return np.array([np.linalg.norm(fisher_by_definition([layer]) - block.to_dense()) for layer, block in blocks])


def sizes(layers):
    return np.array([np.linalg.norm(fisher_by_definition([layer])) for layer in layers])


def nearest(layers, rank):
    """Sums of so many Kronecker products, or as many as make up the block of a narrow layer."""
    blocks = []
    for layer, F in zip(layers, kl.block_diagonal_fisher(layers).blocks, strict=True):
        most = min(layer.d_out, layer.d_in) ** 2
        blocks.append(kl.nearest_kronecker(F, shapes_of(layer), min(rank, most)))
    return kl.BlockDiagonal(blocks)


# The eigenvalues in the basis of K-FAC


@given(any_layers(), SHARING)
def test_ekfac_before_kfac(layers, sharing):
    """And by Pythagoras ‖F_l - EK-FAC‖² = ‖F_l‖² - ‖w‖²."""
    E, size = kl.ekfac(layers, sharing), sizes(layers)
    lost = errors(layers, E)
    assert (lost <= errors(layers, kl.kfac(layers, sharing)) + 1e-13 * size).all()
    kept = np.array([np.linalg.norm(block.w) for block in E.blocks])
    np.testing.assert_allclose(lost**2 + kept**2, size**2, atol=1e-12 * size.max() ** 2, rtol=1e-12)


@given(any_layers(), SHARING, st.integers(0, 99))
def test_ekfac_before_all_others_in_its_basis(layers, sharing, seed):
    E, rng = kl.ekfac(layers, sharing), np.random.default_rng(seed)
    moved = [kl.Spectral(block.Q, block.w * rng.uniform(0, 2, len(block.w))) for block in E.blocks]
    assert (errors(layers, E) <= errors(layers, kl.BlockDiagonal(moved)) + 1e-13 * sizes(layers)).all()


# Sums of Kronecker products


@given(any_layers(), st.sampled_from(list(PRODUCTS)), st.floats(0.1, 10))
def test_the_nearest_product_before_all_others(layers, name, c):
    """KPSVD ≤ c G ⊗ A of any K-FAC, for all c."""
    found, slack = errors(layers, kl.kpsvd(layers)), ROUNDING * sizes(layers)
    assert (found <= errors(layers, c * PRODUCTS[name](layers)) + slack).all()
    assert (found <= errors(layers, PRODUCTS[name](layers)) + slack).all()
    assert (found <= sizes(layers) + slack).all()


@given(any_layers(), SHARING)
def test_two_terms_before_one(layers, sharing):
    """rank 2 ≤ KPSVD, and rank 2 ≤ K-FAC-corrected ≤ K-FAC."""
    K, slack = kl.kfac(layers, sharing), ROUNDING * sizes(layers)
    slack = slack + ROUNDING * np.array([float(block.norm()) for block in K.blocks])
    two, corrected = errors(layers, nearest(layers, 2)), errors(layers, kl.kfac_corrected(layers, sharing))
    assert (two <= errors(layers, kl.kpsvd(layers)) + slack).all()
    assert (two <= corrected + slack).all()
    assert (corrected <= errors(layers, K) + slack).all()


@given(any_layers(), st.integers(1, 3))
def test_the_error_is_what_is_left_of_the_singular_values(layers, rank):
    """‖F_l - Σ‖² = Σ_{k > rank} σ_k² of the rearranged block."""
    K = nearest(layers, rank)
    for layer, block, error in zip(layers, K.blocks, errors(layers, K), strict=True):
        values = np.linalg.svd(rearranged(fisher_by_definition([layer]), shapes_of(layer)), compute_uv=False)
        terms = len(block.terms) if isinstance(block, Sum) else 1
        assert error == pytest.approx(np.linalg.norm(values[terms:]), rel=1e-9, abs=ROUNDING * values[0])


# Projections


@given(any_layers(), st.sampled_from(["kpsvd", "mini-block", "diagonal"]))
def test_projections(layers, name):
    """⟨F, K⟩ = ‖K‖²."""
    F = kl.block_diagonal_fisher(layers).to_dense()
    K = {"kpsvd": kl.kpsvd, "mini-block": kl.mini_block_fisher, "diagonal": kl.diagonal_fisher}[name](layers)
    np.testing.assert_allclose(np.vdot(F, K.to_dense()), float(K.norm()) ** 2, rtol=1e-9)


@given(any_layers())
def test_fewer_entries_are_further(layers):
    """The blocks before the mini-blocks before the diagonal, from the whole Fisher matrix."""
    F = fisher_by_definition(layers)
    builds = kl.block_diagonal_fisher, kl.mini_block_fisher, kl.diagonal_fisher
    found = [np.linalg.norm(F - build(layers).to_dense()) for build in builds]
    assert (np.diff(found) >= -1e-13 * np.linalg.norm(F)).all()


# That the order is strict, and between which there is none


def test_on_a_network_all_of_them_differ():
    layers, _ = mlp_layers()
    K, E, T = (errors(layers, build(layers))[0] for build in (kl.kfac, kl.ekfac, kl.tkfac))
    one, two, corrected = (
        errors(layers, F)[0] for F in (kl.kpsvd(layers), nearest(layers, 2), kl.kfac_corrected(layers))
    )
    gap = 0.02 * sizes(layers)[0]
    assert two + gap < one
    assert one + gap < min(K, T)
    assert two + gap / 10 < corrected
    assert corrected + gap < K
    assert E + gap < K


def test_no_order_between_eigenvalues_and_products():
    """EK-FAC and KPSVD: either can be the nearer one."""
    pairs = np.array([(0, 0)] * 4 + [(1, 0)] + [(0, 1)] * 2 + [(1, 2)] * 5)
    diagonal = [kl.LayerStatistics(np.eye(3)[pairs[:, 1]], np.eye(2)[pairs[:, 0]])]
    assert errors(diagonal, kl.ekfac(diagonal))[0] < 1e-14
    assert errors(diagonal, kl.kpsvd(diagonal))[0] > 0.1
    differences = []
    for seed in range(10):
        layers, _ = mlp_layers(seed=seed)
        differences.extend(errors(layers, kl.kpsvd(layers)) - errors(layers, kl.ekfac(layers)))
    assert min(differences) < 0 < max(differences)
