"""Laws of `mini_block_fisher`: one block a row of a weight, cut out of the exact Fisher matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import memory_limit
from kronlin.curvature import (
    LayerStatistics,
    _mini_block_fisher,
    block_diagonal_fisher,
    diagonal_fisher,
    mini_block_fisher,
)
from kronlin.operators import BlockDiagonal, Dense, Kronecker
from kronlin.testing import check_operator
from tests.libraries import eager, fast
from tests.nets import (
    DAMPINGS,
    NET,
    check_reference_step,
    close,
    fisher_by_definition,
    layer_lists,
    layers_of,
    mlp_layers,
    random_layers,
    reference,
    tiny_layers,
)


def cut(matrix, layers, kernels=None):
    """What is left of a Fisher matrix when only pairs of entries in one row of a weight, or one kernel, are kept."""
    kernels = kernels or [layer.d_in for layer in layers]
    group = np.array(
        [
            (j, o, i // kernel)
            for j, (layer, kernel) in enumerate(zip(layers, kernels, strict=True))
            for o in range(layer.d_out)
            for i in range(layer.d_in)
        ]
    )
    return np.where((group[:, None] == group).all(-1), matrix, 0)


@NET
@pytest.mark.parametrize(("columns", "key"), [("g2", "F"), ("ge", "Femp"), ("gmc", "Fmc")])
def test_reference_operators(name, columns, key):
    data = reference(name)
    layers = layers_of(data, columns)
    close(mini_block_fisher(layers).to_dense(), cut(data[key], layers))


@NET
@pytest.mark.parametrize("lam", DAMPINGS)
def test_reference_steps(name, lam):
    data = reference(name)
    damped = mini_block_fisher(layers_of(data)).damped(float(lam))
    check_reference_step(damped, data, f"mbf_{lam}")


@given(layer_lists(), st.sampled_from([1, 600, 2**28]))
def test_definition(layers, limit):
    with memory_limit(limit):
        M = mini_block_fisher(layers)
    close(M.to_dense(), cut(fisher_by_definition(layers), layers))
    close(M.diagonal(), diagonal_fisher(layers).diagonal())


@given(st.lists(st.tuples(*[st.integers(1, 3)] * 3, st.booleans()), min_size=1, max_size=3), st.integers(1, 2))
def test_kernels_of_convolutions(sizes, S):
    """Kernels of k entries between d_out and c channels, with a bias or without; its block is of one entry."""
    shapes = [(d_out, c * k + bias) for d_out, c, k, bias in sizes]
    layers, kernels = random_layers(np.random.default_rng(0), 3, 2, shapes, S), [k for _, _, k, _ in sizes]
    kernels[0] = None
    M = mini_block_fisher(layers, kernels)
    wanted = cut(fisher_by_definition(layers), layers, [layers[0].d_in, *kernels[1:]])
    close(M.to_dense(), wanted)
    per_layer = [x.d_out * -(-x.d_in // (k or x.d_in)) for x, k in zip(layers, kernels, strict=True)]
    groups = np.repeat(per_layer, [layer.parameters for layer in layers])
    assert len(M.blocks) == sum(per_layer)
    F = block_diagonal_fisher(layers).to_dense()
    assert np.linalg.eigvalsh(groups[:, None] * M.to_dense() - F)[0] >= -1e-12 * np.trace(F)
    close(M.damped(0.5).inverse().to_dense(), np.linalg.inv(wanted + 0.5 * np.eye(len(wanted))), 1e-9)


@given(layer_lists(), st.booleans())
def test_outputs_share_the_mean_of_their_blocks(layers, convolutions):
    kernels = [max(1, layer.d_in // 2) for layer in layers] if convolutions else None
    M, F = mini_block_fisher(layers, kernels, average=True), fisher_by_definition(layers)
    wanted, start = np.zeros_like(F), 0
    for layer, kernel in zip(layers, kernels or [layer.d_in for layer in layers], strict=True):
        end = start + layer.parameters
        own = cut(F[start:end, start:end], [layer], [kernel])
        mean = own.reshape(layer.d_out, layer.d_in, layer.d_out, layer.d_in).trace(axis1=0, axis2=2) / layer.d_out
        wanted[start:end, start:end] = np.kron(np.eye(layer.d_out), mean)
        start = end
    close(M.to_dense(), wanted)
    np.testing.assert_allclose(M.trace(), np.trace(F), rtol=1e-12)
    assert M.is_psd is True
    assert all(type(block) is Kronecker for block in M.blocks)
    b = np.arange(1.0, M.shape[0] + 1)
    close(M.damped(0.5).inverse() @ b, np.linalg.solve(wanted + 0.5 * np.eye(len(b)), b), 1e-9)


def test_shared_blocks_in_every_library(lib):
    layers, b = tiny_layers(lib), lib.asarray(np.ones(12))
    for kernels in (None, [1, 2]):
        M = mini_block_fisher(layers, kernels, average=True)
        dense = lib.numpy(M.to_dense())
        x = M.damped(0.5).inverse() @ b
        assert lib.owns(x)
        close(lib.numpy(x), np.linalg.solve(dense + 0.5 * np.eye(12), np.ones(12)), 1e-9)


def test_kernels_are_checked():
    layers = random_layers(np.random.default_rng(0), 2, 1, [(2, 9), (1, 5)], 2)
    with pytest.raises(ValueError, match="kernels has 1 entries for 2 layers"):
        mini_block_fisher(layers, [4])
    for kernel in (0, 6, 10, True, 2.0):
        with pytest.raises(ValueError, match="its 9 inputs must be a whole number of them"):
            mini_block_fisher(layers, [kernel, None])


def test_columns_count_as_one_without_shared_weights(monkeypatch):
    """For S = 1 the 5 columns of an example are one gradient, for S = 2 they are 5."""
    seen = []
    for S in (1, 2):
        layers = random_layers(np.random.default_rng(0), 3, 5, [(2, 3)], S)
        with monkeypatch.context() as patch:
            moments = _mini_block_fisher._row_moments
            patch.setattr(
                _mini_block_fisher, "_row_moments", lambda P, moments=moments: seen.append(len(P)) or moments(P)
            )
            with memory_limit(1):
                mini_block_fisher(layers)
    assert seen == [1] * 3 + [1] * 15


@pytest.mark.parametrize("lib", eager(), ids=str)
def test_complex_layers(lib):
    layers = random_layers(np.random.default_rng(0), 3, 2, [(4, 3), (2, 2)], [2, 1], lib, "complex128")
    M, dense, b = mini_block_fisher(layers), cut(fisher_by_definition(layers, lib), layers), np.ones(16) + 1j
    close(lib.numpy(M.to_dense()), dense)
    close(lib.numpy(M.damped(0.5).solve(lib.asarray(b))), np.linalg.solve(dense + 0.5 * np.eye(16), b))


def test_exact_on_the_output_layer_with_square_loss():
    layers, _ = mlp_layers((4, 5, 3), "mse", 10)
    inexact, exact = (np.linalg.norm(cut(F, [layer]) - F) for layer in layers for F in [fisher_by_definition([layer])])
    close(mini_block_fisher(layers[1:]).to_dense(), block_diagonal_fisher(layers[1:]).to_dense())
    assert exact == 0
    assert inexact > 1e-2


def test_every_library(lib):
    layers, b = tiny_layers(lib), np.arange(12.0)
    M, dense, x = mini_block_fisher(layers), cut(fisher_by_definition(layers, lib), layers), lib.asarray(b)
    close(lib.numpy(M @ x), dense @ b)
    for step in (M.damped(0.1).solve(x), M.damped(0.1).inverse() @ x):
        close(lib.numpy(step), np.linalg.solve(dense + 0.1 * np.eye(12), b), 1e-11)
        assert lib.owns(step)


def test_float32_stays_float32(lib):
    layers = tiny_layers(lib, "float32")
    M, x = mini_block_fisher(layers), lib.asarray(np.arange(12.0), "float32")
    for result in (M @ x, M.trace(), M.damped(0.5).inverse() @ x, M.damped(0.5).solve(x)):
        assert result.dtype == lib.xp.float32
        assert lib.owns(result)
    dense = cut(fisher_by_definition(layers, lib).astype(float), layers)
    close(lib.numpy(result), np.linalg.solve(dense + 0.5 * np.eye(12), np.arange(12.0)), 1e-5)


@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library):
    check_operator(mini_block_fisher(tiny_layers(library)))


def test_types():
    """Rows of equal length are one bucket, across layers too."""
    layers = random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 2), (3, 3)], 2)
    M = mini_block_fisher(layers)
    for operator in (M, M.damped(0.1), M.damped(0.1).inverse()):
        assert type(operator) is BlockDiagonal
        assert operator.members == ((0, 1, 2, 3, 6, 7, 8), (4, 5))
        assert all(type(bucket) is Dense for bucket in operator.buckets)
    assert M.is_psd is True
    assert M.damped(0.1).inverse().is_pd is True


@pytest.mark.parametrize("S", [1, 2])
def test_an_output_without_curvature(S):
    layer = random_layers(np.random.default_rng(0), 4, 2, [(3, 2)], S)[0]
    g = layer.output_gradients * np.array([1.0, 0.0, 1.0])
    damped = mini_block_fisher([LayerStatistics(layer.inputs, g)]).damped(0.5)
    close(damped.blocks[1].to_dense(), np.eye(2) / 2)
    close(damped.solve(np.ones(6))[2:4], np.full(2, 2.0))


def test_layers_are_checked():
    with pytest.raises(ValueError, match="layers is empty"):
        mini_block_fisher([])
    with pytest.raises(TypeError, match="a sequence of LayerStatistics"):
        mini_block_fisher([np.ones((2, 2))])
