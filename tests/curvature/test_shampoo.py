"""Laws of `shampoo`: the roots of the partial traces, and what their bound needs."""

import numpy as np
import pytest
from hypothesis import given

import kronlin as kl
from kronlin.testing import check_operator
from tests.libraries import NUMPY, eager, fast
from tests.nets import close, fisher_by_definition, layer_lists, random_layers, root_by_definition, tiny_layers


def root(x):
    w, q = np.linalg.eigh(x)
    return (q * np.sqrt(np.maximum(w, 0))) @ q.conj().T


def by_definition(layer):
    """L^½ ⊗ R^½, one gradient at a time."""
    P = root_by_definition(layer).T.reshape(-1, layer.d_out, layer.d_in)
    left = sum(p @ p.conj().T for p in P) / layer.n
    right = sum(p.T @ p.conj() for p in P) / layer.n
    return np.kron(root(left), root(right))


def largest_rank(layer):
    P = root_by_definition(layer).T.reshape(-1, layer.d_out, layer.d_in)
    return max(int(np.linalg.matrix_rank(p)) for p in P)


@given(layer_lists())
def test_definition(layers):
    """To 1e-7: the root of a zero eigenvalue is the root of a rounding error."""
    for layer, block in zip(layers, kl.shampoo(layers).blocks, strict=True):
        close(block.to_dense(), by_definition(layer), 1e-7)


def test_the_rank_is_needed():
    """Two equal positions that differ in inputs and gradients: rank 2, where the bound with 1 fails."""
    layer = kl.LayerStatistics(np.eye(2)[None], np.eye(2)[None])
    F, block = fisher_by_definition([layer]), kl.shampoo([layer]).to_dense()
    assert largest_rank(layer) == 2
    assert np.linalg.eigvalsh(block - F)[0] < -0.5
    assert np.linalg.eigvalsh(2 * block - F)[0] > -1e-12


@given(layer_lists())
def test_scales_with_the_loss(layers):
    scaled = [kl.LayerStatistics(layer.inputs, 3 * layer.output_gradients) for layer in layers]
    close(kl.shampoo(scaled).to_dense(), 9 * kl.shampoo(layers).to_dense(), 1e-7)


def test_types():
    S = kl.shampoo(random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)], 2))
    assert type(S) is kl.BlockDiagonal
    assert (S.members, S.is_psd) == (((0, 2), (1,)), True)
    for bucket in S.buckets:
        assert type(bucket) is kl.Kronecker
        assert all(type(factor) is kl.Spectral for factor in bucket.factors)
    step = S.damped(0.1).power(-0.5)
    assert all(type(block) is kl.Spectral and type(block.Q) is kl.Kronecker for block in step.buckets)
    assert step.is_pd is True


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-11)])
def test_every_library(lib, dtype, tolerance):
    """Six gradients of each layer leave no zero eigenvalue."""
    S, b = kl.shampoo(tiny_layers(lib, dtype)).damped(0.1), np.arange(12.0)
    blocks = [by_definition(layer) + 0.1 * np.eye(6) for layer in tiny_layers(NUMPY)]
    wanted = np.concatenate([np.linalg.solve(block, part) for block, part in zip(blocks, b.reshape(2, 6), strict=True)])
    for step in (S.solve(lib.asarray(b, dtype)), S.inverse() @ lib.asarray(b, dtype)):
        assert lib.owns(step)
        assert step.dtype == getattr(lib.xp, dtype)
        close(lib.numpy(step), wanted, tolerance)


@pytest.mark.parametrize("lib", eager(), ids=str)
@pytest.mark.parametrize("S", [1, 2])
def test_complex_layers(lib, S):
    layer, twin = (random_layers(np.random.default_rng(0), 4, 2, [(3, 2)], S, x, "complex128")[0] for x in (lib, NUMPY))
    close(lib.numpy(kl.shampoo([layer]).to_dense()), by_definition(twin))


@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library):
    check_operator(kl.shampoo(tiny_layers(library)))


def test_a_layer_without_curvature():
    S = kl.shampoo([kl.LayerStatistics(np.ones((3, 2)), np.zeros((3, 2)))])
    assert not S.to_dense().any()
    close(S.damped(0.5).solve(np.ones(4)), np.full(4, 2.0))


def test_layers_are_checked():
    with pytest.raises(ValueError, match="layers is empty"):
        kl.shampoo([])
