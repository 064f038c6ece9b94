"""Laws of `nicolaides`: ones on each block, kept as 1 ⊗ 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.coarse import nicolaides
from kronlin.curvature import block_diagonal_fisher, fisher, kfac
from kronlin.galerkin import Galerkin
from kronlin.operators import BlockDiagonal, Dense, Kronecker
from tests.nets import NETS, close, fisher_by_definition, layer_lists, layers_of, random_layers, reference, tiny_layers


def ones_on_blocks(sizes):
    """The definition."""
    Z, start = np.zeros((sum(sizes), len(sizes))), 0
    for j, size in enumerate(sizes):
        Z[start : start + size, j] = 1
        start += size
    return Z


@pytest.mark.parametrize("name", NETS[:2])
def test_reference_spaces(name):
    data = reference(name)
    for blocks in (kfac(layers_of(data)), kfac(layers_of(data)).damped(0.1)):
        np.testing.assert_array_equal(nicolaides(blocks).to_dense(), data["Z_nico"])


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_definition(sizes):
    blocks = BlockDiagonal([np.eye(size) for size in sizes])
    np.testing.assert_array_equal(nicolaides(blocks).to_dense(), ones_on_blocks(sizes))


@given(layer_lists(), st.sampled_from(["expand", "reduce"]))
def test_only_the_partition_is_used(layers, sharing):
    wanted = ones_on_blocks([layer.parameters for layer in layers])
    for blocks in (kfac(layers, sharing), block_diagonal_fisher(layers), kfac(layers).damped(0.3).inverse()):
        Z = nicolaides(blocks)
        np.testing.assert_array_equal(Z.to_dense(), wanted)
        dense = fisher_by_definition(layers) + 0.5 * np.eye(len(wanted))
        close(Galerkin(fisher(layers).damped(0.5), Z).E, wanted.T @ dense @ wanted)


def test_types():
    """1 ⊗ 1 on a Kronecker product and on its eigenbasis, equal layers in one bucket; else a column of ones."""
    layers = random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (4, 3)])
    K = kfac(layers)
    for blocks in (K, K.damped(0.1), K.damped(0.1).inverse()):
        Z = nicolaides(blocks)
        assert isinstance(Z, BlockDiagonal)
        assert Z.members == ((0, 2), (1,))
        assert all(isinstance(bucket, Kronecker) for bucket in Z.buckets)
        assert Z.nbytes <= 8 * (4 + 3 + 2 + 3 + 4 + 3)
    Z = nicolaides(block_diagonal_fisher(layers))
    assert all(isinstance(bucket, Dense) for bucket in Z.buckets)
    np.testing.assert_array_equal(Z @ np.ones(3), np.ones(30))


def test_three_factors():
    Z = nicolaides(Kronecker(np.eye(2), np.eye(3), np.eye(2)))
    assert isinstance(Z.buckets[0], Kronecker)
    np.testing.assert_array_equal(Z.to_dense(), np.ones((12, 1)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_library(lib, dtype):
    Z = nicolaides(kfac(tiny_layers(lib, dtype)))
    ones = Z @ lib.asarray(np.ones(2), dtype)
    assert ones.dtype == getattr(lib.xp, dtype)
    assert lib.owns(ones)
    np.testing.assert_array_equal(lib.numpy(ones), np.ones(12))


def test_blocks_must_be_square():
    with pytest.raises(ValueError, match="built from square blocks"):
        nicolaides(BlockDiagonal([np.ones((2, 1))]))
