"""Equations between the Fisher matrix, its approximations and what they are built of: traces, covariances, ranks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.sources.numpy_mlp import collect
from tests.curvature.anylayers import FISHERS, any_layers, gradients, shapes_of
from tests.curvature.test_tridiagonal_kfac import by_definition as chain_by_definition
from tests.nets import close, fisher_by_definition
from tests.networks import problems
from tests.operators.test_rearranged import by_definition as rearranged

KEEP_THE_TRACE = {
    "ekfac": kl.ekfac,
    "ekfac reduce": lambda layers: kl.ekfac(layers, "reduce"),
    "tkfac": kl.tkfac,
    "blocks": kl.block_diagonal_fisher,
}


def moments(layer):
    """Of a layer without positions, for each example: Γ_i = Σ_k g gᴴ and Λ_i = a aᴴ."""
    a, g = layer.inputs[:, 0], layer.output_gradients[:, 0]
    return np.einsum("nko,nku->nou", g, g.conj()), np.einsum("ni,nj->nij", a, a.conj())


# Traces


@given(any_layers())
def test_the_trace_is_the_mean_square_of_the_gradients(layers):
    """tr F = (1/n) Σ_ik ‖P_ik‖², of every layer and of the whole, and whatever keeps the diagonal keeps it."""
    squares = [np.linalg.norm(gradients(layer)) ** 2 / layer.n for layer in layers]
    for build in (kl.fisher, kl.diagonal_fisher, kl.mini_block_fisher):
        np.testing.assert_allclose(build(layers).trace(), sum(squares), rtol=1e-12)
    for build in KEEP_THE_TRACE.values():
        found = [complex(block.trace()) for block in build(layers).blocks]
        np.testing.assert_allclose(found, squares, rtol=1e-12, atol=1e-14 * max(squares))


@given(any_layers(shared=False))
def test_kfac_misses_the_trace_by_a_covariance(layers):
    """tr F_l - tr(G ⊗ A) = Cov(|a|², Σ_k |g|²) without shared weights."""
    for layer, block in zip(layers, kl.kfac(layers).blocks, strict=True):
        inputs = (abs(layer.inputs) ** 2).sum(axis=(1, 2))
        outputs = (abs(layer.output_gradients) ** 2).sum(axis=(1, 2, 3))
        covariance = ((inputs - inputs.mean()) * (outputs - outputs.mean())).mean()
        found = np.trace(fisher_by_definition([layer])) - complex(block.trace())
        np.testing.assert_allclose(found, covariance, atol=1e-12 * inputs.max() * outputs.max())


@given(any_layers(shared=False))
def test_kfac_misses_the_block_by_a_covariance(layers):
    """F_l - G ⊗ A = (1/n) Σ_i (Γ_i - G) ⊗ (Λ_i - A) without shared weights."""
    for layer, block in zip(layers, kl.kfac(layers).blocks, strict=True):
        Gamma, Lambda = moments(layer)
        covariance = np.mean(
            [np.kron(*pair) for pair in zip(Gamma - Gamma.mean(0), Lambda - Lambda.mean(0), strict=True)], axis=0
        )
        F = fisher_by_definition([layer])
        np.testing.assert_allclose(F - block.to_dense(), covariance, atol=1e-12 * layer.n * np.trace(F).real)


@given(any_layers())
def test_tkfac_has_the_partial_traces(layers):
    """Those of F_l over its outputs and over its inputs; each is half a step of the power iteration from I."""
    for layer, block in zip(layers, kl.tkfac(layers).blocks, strict=True):
        F, dense = fisher_by_definition([layer]), block.to_dense()
        size = np.trace(F).real
        for letters in ("oiqi->oq", "oioj->ij"):
            one, two = (np.einsum(letters, x.reshape((layer.d_out, layer.d_in) * 2)) for x in (dense, F))
            np.testing.assert_allclose(one, two, atol=1e-12 * size)
        R = kl.Rearrangement(layer.inputs, layer.output_gradients) / layer.n
        rows, columns = R @ np.eye(layer.d_in).ravel(), R.H @ np.eye(layer.d_out).ravel()
        halves = rows.reshape(layer.d_out, -1), columns.reshape(layer.d_in, -1).conj()
        np.testing.assert_allclose(np.kron(*halves), size * dense, atol=1e-12 * size**2)


# Ranks and labels


@given(any_layers(shared=False))
def test_the_kronecker_rank_of_a_block(layers):
    """At most n without shared weights: the rearranged block is (1/n) Σ_i vec(Γ_i) vec(Λ_i)ᵀ."""
    for layer in layers:
        R = rearranged(fisher_by_definition([layer]), shapes_of(layer))
        Gamma, Lambda = (x.reshape(layer.n, -1) for x in moments(layer))
        np.testing.assert_allclose(R, Gamma.T @ Lambda / layer.n, atol=1e-13 * np.linalg.norm(R))
        values = np.linalg.svd(R, compute_uv=False)
        assert (values > 1e-12 * values[0]).sum() <= layer.n


@given(problems(losses=("softmax", "bernoulli")), st.sampled_from(FISHERS))
def test_only_the_empirical_matrix_knows_the_labels(problem, fisher):
    """With other labels the others are the same to the last bit, and so is every approximation of them."""
    choices = 2 if problem.loss == "bernoulli" else problem.net(problem.x).shape[-1]
    moved = problem._replace(y=(problem.y + 1) % choices)
    one, two = (collect(*each, fisher=fisher, seed=3)[0] for each in (problem, moved))
    same = all(np.array_equal(x.output_gradients, y.output_gradients) for x, y in zip(one, two, strict=True))
    assert all(np.array_equal(x.inputs, y.inputs) for x, y in zip(one, two, strict=True))
    dead = not one[-1].output_gradients.any()
    assert same is (fisher != "empirical" or choices == 1 or dead)


@given(problems())
def test_the_mean_of_the_empirical_columns_is_the_gradient(problem):
    layers, gradient, _ = collect(*problem, fisher="empirical")
    mean = np.concatenate([gradients(layer).mean(axis=0).ravel() for layer in layers])
    np.testing.assert_allclose(mean, gradient, atol=1e-13 * (1 + abs(gradient).max()))


# The chain of neighbouring layers


@given(any_layers(), st.sampled_from([1e-2, 1.0]), st.sampled_from(["trace", "spectral", None]))
def test_the_chain_keeps_three_bands(layers, lam, pi):
    """F̂ and F̃ agree there, F̂⁻¹ has no more, and two layers are all of F̃."""
    F = kl.tridiagonal_kfac(layers, lam, pi, "reduce")
    on, beside, _, starts = chain_by_definition(layers, [lam] * len(layers), pi, "reduce")
    dense, inverse = F.to_dense(), F.inverse().to_dense()
    part = [slice(*ends) for ends in zip(starts, starts[1:], strict=False)]
    for i, here in enumerate(part):
        close(dense[here, here], on[i], 1e-11)
        for j, there in enumerate(part[i + 1 :], i + 1):
            if j == i + 1:
                np.testing.assert_allclose(dense[here, there], beside[i], atol=1e-11 * abs(dense).max())
                np.testing.assert_allclose(dense[there, here], beside[i].conj().T, atol=1e-11 * abs(dense).max())
            else:
                assert abs(inverse[here, there]).max() <= 1e-13 * abs(inverse).max()
    np.testing.assert_allclose(inverse @ dense, np.eye(len(dense)), atol=1e-12 * np.linalg.cond(dense))


# Where they do not hold


def test_these_are_not_of_every_approximation():
    """Neither K-FAC nor the nearest product has the trace; with shared weights the Kronecker rank passes n."""
    rng = np.random.default_rng(0)
    layer = kl.LayerStatistics(rng.standard_normal((1, 3, 2)), rng.standard_normal((1, 3, 2)))
    F = fisher_by_definition([layer])
    for build in (kl.kfac, kl.kpsvd):
        assert float(build([layer]).trace()) != pytest.approx(np.trace(F), rel=1e-3)
    values = np.linalg.svd(rearranged(F, shapes_of(layer)), compute_uv=False)
    assert (values > 1e-3 * values[0]).sum() == 4
