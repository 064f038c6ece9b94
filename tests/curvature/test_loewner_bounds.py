"""The bounds between the Fisher matrix, its approximations and their dampings, in the order of Loewner."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.curvature.anylayers import any_layers, assert_psd, gradients
from tests.nets import fisher_by_definition, random_layers

PRODUCTS = {
    "expand": kl.kfac,
    "reduce": lambda layers: kl.kfac(layers, "reduce"),
    "tkfac": kl.tkfac,
    "kpsvd": kl.kpsvd,
    "foof": kl.foof,
    "shampoo": kl.shampoo,
}
OTHERS = {
    "fisher": kl.fisher,
    "blocks": kl.block_diagonal_fisher,
    "ekfac": kl.ekfac,
    "ekfac reduce": lambda layers: kl.ekfac(layers, "reduce"),
    "diagonal": kl.diagonal_fisher,
    "mini-block": kl.mini_block_fisher,
}


def pairs(layers, approximation):
    """For each layer its block, dense, by definition, and that of an approximation."""
    for layer, block in zip(layers, approximation.blocks, strict=True):
        yield layer, fisher_by_definition([layer]), block


# The Fisher matrix and its parts


@given(any_layers(), st.sampled_from([0.0, 1e-3, 1.0]))
def test_the_fisher_matrix_and_its_blocks(layers, lam):
    """F + λ I ≤ L (F_bd + λ I) for L layers."""
    F, blocks = kl.fisher(layers), kl.block_diagonal_fisher(layers)
    size = len(layers) * (float(F.trace().real) + lam)
    assert_psd(len(layers) * blocks.damped(lam).to_dense() - F.damped(lam).to_dense(), size)


@given(any_layers(), st.sampled_from([1e-3, 1.0]))
def test_the_spectrum_of_the_fisher_matrix_with_its_blocks_as_preconditioner(layers, lam):
    """Between 0 and L; for one layer all of it is 1."""
    A, M = kl.fisher(layers).damped(lam), kl.block_diagonal_fisher(layers).damped(lam).inverse()
    root = M.sqrt().to_dense()
    spectrum = np.linalg.eigvalsh(root @ A.to_dense() @ root)
    rounding = 1e-12 * (1 + float(kl.fisher(layers).trace().real) / lam)
    assert spectrum[0] > -rounding
    assert spectrum[-1] <= len(layers) + rounding
    if len(layers) == 1:
        np.testing.assert_allclose(spectrum, 1, atol=rounding)


@given(any_layers())
def test_the_rank_of_the_fisher_matrix(layers):
    """At most n K."""
    values = np.linalg.eigvalsh(kl.fisher(layers).to_dense())
    assert (values > 1e-11 * values[-1]).sum() <= layers[0].n * layers[0].K


@given(any_layers())
def test_one_block_a_row_and_one_entry_a_block(layers):
    """F_l ≤ d_out times its mini-blocks, and these at most d_in times its diagonal."""
    F, rows, entries = (
        build(layers).to_dense() for build in (kl.block_diagonal_fisher, kl.mini_block_fisher, kl.diagonal_fisher)
    )
    d_out, d_in = (
        np.concatenate([np.full(layer.parameters, getattr(layer, name)) for layer in layers])
        for name in ("d_out", "d_in")
    )
    size = 4 * float(np.trace(F).real)
    assert_psd(d_out[:, None] * rows - F, size)
    assert_psd(d_in[:, None] * entries - rows, size)


# Kronecker products


@given(any_layers(shared=False))
def test_kfac_without_shared_weights(layers):
    """F_l ≤ n G ⊗ A."""
    for layer, F, K in pairs(layers, kl.kfac(layers)):
        assert_psd(layer.n * K.to_dense() - F, layer.n * float(K.trace().real))


@given(any_layers())
def test_kfac_expand(layers):
    """F_l ≤ n S² G ⊗ A."""
    for layer, F, K in pairs(layers, kl.kfac(layers)):
        assert_psd(layer.n * layer.S**2 * K.to_dense() - F, layer.n * layer.S**2 * float(K.trace().real))


@given(any_layers())
def test_what_kfac_expand_leaves_out_the_fisher_matrix_does(layers):
    """null(G ⊗ A) ⊂ null(F_l), to the root of a rounding error: |F_l x|² ≤ ‖F_l‖ xᴴ F_l x ≤ ‖F_l‖ n S² xᴴ (G ⊗ A) x."""
    for layer, F, K in pairs(layers, kl.kfac(layers)):
        values, vectors = np.linalg.eigh(K.to_dense())
        null = vectors[:, values <= 1e-13 * values[-1]]
        bound = layer.n * layer.S**2 * layer.parameters * 2e-13 * values[-1]
        assert np.linalg.norm(F @ null) ** 2 <= np.linalg.norm(F) * bound


def test_reduce_has_no_such_bound():
    """Inputs that cancel over the positions, with gradients that do: reduce is zero, the Fisher matrix is not."""
    layers = [kl.LayerStatistics(np.array([[[1.0], [-1.0]]]), np.array([[[1.0], [-1.0]]]))]
    assert kl.fisher(layers).to_dense() == 4
    assert kl.kfac(layers).to_dense() == 2
    assert kl.kfac(layers, "reduce").to_dense() == 0


@pytest.mark.parametrize("S", [1, 3])
def test_no_smaller_multiple_of_kfac_is_a_bound(S):
    """All that there is in one of four examples, unit vectors at its positions: equality at vec(I)."""
    units = np.zeros((4, S, S))
    units[0] = np.eye(S)
    layers, x = [kl.LayerStatistics(units, units)], np.eye(S).ravel()
    np.testing.assert_allclose(x @ kl.fisher(layers) @ x, 4 * S**2 * (x @ kl.kfac(layers) @ x), rtol=1e-14)
    assert x @ kl.fisher(layers) @ x > 0


@given(any_layers())
def test_shampoo(layers):
    """F_l ≤ r L^½ ⊗ R^½, r the largest rank of a gradient; to 1e-7, the root of a rounding error."""
    for layer, F, K in pairs(layers, kl.shampoo(layers)):
        P = gradients(layer)
        r = max(np.linalg.matrix_rank(p) for p in P)
        assert r <= min(layer.S, layer.d_out, layer.d_in)
        assert_psd(r * K.to_dense() - F, np.trace(F).real, 1e-7)


# Definiteness and damping


@given(any_layers(), st.sampled_from([*PRODUCTS, *OTHERS]))
def test_what_is_promised_to_be_psd_is(layers, name):
    F = {**PRODUCTS, **OTHERS}[name](layers)
    dense = F.to_dense()
    assert F.is_psd is True
    np.testing.assert_allclose(dense, dense.conj().T, atol=1e-14 * max(abs(dense).max(), 1e-300))
    assert_psd(dense, np.trace(dense).real)
    assert float(np.linalg.eigvalsh(F.damped(0.1).to_dense())[0]) >= 0.1 - 1e-12 * (1 + np.trace(dense).real)


@given(
    any_layers(),
    st.sampled_from(list(PRODUCTS)),
    st.sampled_from(["trace", "frobenius", "spectral", None]),
    st.sampled_from([1e-3, 1e-1, 10.0]),
)
def test_factored_damping_is_at_least_the_exact_one(layers, name, pi, lam):
    """K + λ I ≤ (G + √λ/π I) ⊗ (A + π√λ I), so that its inverse takes the shorter step."""
    K = PRODUCTS[name](layers)
    for exact, factored in zip(K.damped(lam).blocks, kl.factored_damping(K, lam, pi).blocks, strict=True):
        assert_psd(factored.to_dense() - exact.to_dense(), np.trace(factored.to_dense()).real)
        assert_psd(exact.inverse().to_dense() - factored.inverse().to_dense(), 100 / lam)


@given(any_layers(), st.sampled_from([1e-2, 1.0]))
def test_the_chain_is_definite(layers, lam):
    """And the diagonal blocks of its inverse are at least the inverses of its diagonal blocks."""
    F = kl.tridiagonal_kfac(layers, lam, sharing="reduce")
    dense, alone = F.to_dense(), kl.factored_damping(kl.kfac(layers, "reduce"), lam).blocks
    assert F.is_pd is True
    size = np.trace(dense).real
    assert_psd(dense, size)
    inverse, start = F.inverse().to_dense(), 0
    for block in alone:
        here = slice(start, start + block.shape[0])
        assert_psd(inverse[here, here] - block.inverse().to_dense(), np.trace(inverse).real, 1e-10)
        start += block.shape[0]


def test_the_two_term_sums_have_no_such_bound():
    """The second term is indefinite, and the sum can be: that is why nothing is promised of it."""
    layers = [random_layers(np.random.default_rng(seed), 4, 1, [(3, 3)]) for seed in range(10)]
    for build in (lambda layer: kl.kpsvd(layer, 2), kl.kfac_corrected):
        found = [build(each) for each in layers]
        assert {F.is_psd for F in found} == {None}
        assert min(F.eigvalsh()[0] for F in found) < -1e-3
