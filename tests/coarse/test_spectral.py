"""Laws of `spectral`: the chosen eigenvectors of each block, kept as Khatri-Rao products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import rules
from kronlin.coarse import spectral
from kronlin.curvature import block_diagonal_fisher, kfac
from kronlin.operators import BlockDiagonal, Dense, KhatriRao, Spectral
from tests.libraries import NUMPY
from tests.nets import NETS, close, layer_lists, layers_of, random_layers, reference, tiny_layers

WHICH = ("smallest", "smallest-nonzero", "largest")


def projector(columns):
    q = np.linalg.qr(columns)[0]
    return q @ q.T


@pytest.mark.parametrize("name", NETS[:2])
def test_reference_spaces(name):
    """The stored columns are other eigenvectors where eigenvalues coincide, so compare Rayleigh quotients."""
    data = reference(name)
    K = kfac(layers_of(data))
    Z, stored, dense = spectral(K, 2).to_dense(), data["Z_spec"], K.to_dense()
    close(Z.T @ Z, np.eye(6))
    scale = np.linalg.norm(dense, 2)
    assert np.abs(Z.T @ dense @ Z - stored.T @ dense @ stored).max() <= 1e-13 * scale
    assert not np.any(Z[~nonzero_rows(data)])


def nonzero_rows(data):
    """Where the columns of a layer may be other than zero: on its own rows."""
    inside = np.zeros((data["offsets"][-1], 6), bool)
    for j, (start, stop) in enumerate(zip(data["offsets"][:-1], data["offsets"][1:], strict=True)):
        inside[start:stop, 2 * j : 2 * j + 2] = True
    return inside


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("which", WHICH)
def test_invariant_subspaces_of_the_reference_blocks(name, which):
    data = reference(name)
    k = 2
    for j, block in enumerate(spectral(kfac(layers_of(data)), k, which).blocks):
        dense = np.kron(data[f"l{j}_G_exp"], data[f"l{j}_A_exp"])
        w = np.linalg.eigvalsh(dense)
        Z = block.to_dense()
        positive = w[w > 1e-10 * w[-1]]
        wanted = {"smallest": w[:k], "smallest-nonzero": positive[:k], "largest": w[: -k - 1 : -1]}[which]
        close(Z.T @ Z, np.eye(len(wanted)))
        assert np.abs(dense @ Z - Z * wanted).max() <= 1e-12 * w[-1]


@given(layer_lists(), st.sampled_from(WHICH), st.data())
def test_definition(layers, which, data):
    K = kfac(layers)
    smallest = min(layer.parameters for layer in layers)
    k = data.draw(st.integers(1, smallest))
    for layer, block, found in zip(layers, K.blocks, spectral(K, k, which).blocks, strict=True):
        dense = block.to_dense()
        w = np.linalg.eigvalsh(dense)
        Z = found.to_dense()
        quotients = np.diag(Z.T @ dense @ Z)
        assert found.shape == (layer.parameters, Z.shape[1])
        close(Z.T @ Z, np.eye(Z.shape[1]))
        assert np.abs(dense @ Z - Z * quotients).max() <= 1e-12 * w[-1]
        positive = w[w > len(w) * np.finfo(float).eps * w[-1]]
        if which == "smallest-nonzero":
            assert Z.shape[1] <= k
            assert quotients.min() > 0.1 * positive[0]
        else:
            wanted = w[:k] if which == "smallest" else w[::-1][:k]
            np.testing.assert_allclose(quotients, wanted, atol=1e-12 * w[-1])


def test_all_columns_are_a_basis():
    K = kfac(random_layers(np.random.default_rng(0), 9, 2, [(2, 3), (3, 2)]))
    Z = spectral(K, 6).to_dense()
    close(Z @ Z.T, np.eye(12))


def test_smallest_nonzero_may_find_fewer():
    """A of rank 1 in a block of size 6: 2 eigenvalues are not zero."""
    K = kfac(random_layers(np.random.default_rng(0), 2, 3, [(2, 3)]))
    assert spectral(K, 6, "smallest-nonzero").shape == (6, 4)
    assert spectral(K, 3, "smallest-nonzero").shape == (6, 3)


def test_ties_go_by_position():
    np.testing.assert_array_equal(spectral(BlockDiagonal([np.eye(3)]), 2).to_dense(), np.eye(3)[:, :2])
    np.testing.assert_array_equal(spectral(BlockDiagonal([np.eye(3)]), 2, "largest").to_dense(), np.eye(3)[:, :2])


def test_damping_changes_nothing_and_inversion_turns_the_order():
    K = kfac(random_layers(np.random.default_rng(0), 20, 2, [(3, 2), (2, 2)]))
    for k in (1, 3):
        smallest = spectral(K, k).to_dense()
        close(projector(spectral(K.damped(0.5), k).to_dense()), projector(smallest))
        close(projector(spectral(K.damped(0.5).inverse(), k, "largest").to_dense()), projector(smallest))


def test_types():
    layers = random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)])
    K = kfac(layers)
    Z = spectral(K, 2, "largest")
    assert isinstance(Z, BlockDiagonal)
    assert Z.shape == (30, 6)
    assert Z.members == ((0, 2), (1,))
    assert all(isinstance(bucket, KhatriRao) for bucket in Z.buckets)
    assert Z.nbytes == 8 * 2 * (4 + 3 + 2 + 3 + 4 + 3)
    close(rules.gram(Z, Z), np.eye(6))


def test_dense_blocks_give_dense_columns():
    blocks = BlockDiagonal([np.diag([3.0, 1.0, 2.0]), np.diag([1.0, 4.0])])
    Z = spectral(blocks, 1, "largest")
    assert all(isinstance(bucket, Dense) for bucket in Z.buckets)
    np.testing.assert_array_equal(Z.to_dense(), [[1, 0], [0, 0], [0, 0], [0, 0], [0, 1]])


def test_the_decomposition_is_that_of_the_damping():
    K = kfac(random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (4, 3), (2, 2)]))
    damped = K.damped(0.1)
    spectral(K, 2)
    for bucket, shifted in zip(K.buckets, damped.buckets, strict=True):
        assert isinstance(shifted, Spectral)
        assert bucket.eigh().Q is shifted.Q


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_library(lib, dtype):
    columns = spectral(kfac(tiny_layers(lib, dtype)), 1, "largest") @ lib.asarray(np.eye(2), dtype)
    assert columns.dtype == getattr(lib.xp, dtype)
    assert lib.owns(columns)
    wanted = spectral(kfac(tiny_layers(NUMPY)), 1, "largest").to_dense()
    close(projector(lib.numpy(columns)), projector(wanted), 1e-5 if dtype == "float32" else 1e-12)


# Errors


def test_unknown_which():
    with pytest.raises(
        ValueError, match="unknown which 'middle': choose one of 'smallest', 'smallest-nonzero', 'largest'"
    ):
        spectral(np.eye(2), 1, "middle")


@pytest.mark.parametrize("k", [0, -1, 3])
def test_k_out_of_range(k):
    with pytest.raises(ValueError, match=f"k = {k} eigenvectors a block: choose between 1 and 2, the smallest"):
        spectral(BlockDiagonal([np.eye(3), np.eye(2)]), k)


def test_blocks_must_be_square():
    with pytest.raises(ValueError, match="built from square blocks"):
        spectral(BlockDiagonal([np.ones((2, 1))]))


def test_blocks_must_be_self_adjoint():
    with pytest.raises(ValueError, match="eigh needs a self-adjoint operator"):
        spectral(np.array([[1.0, 2.0], [0.0, 1.0]]))


def test_a_block_without_nonzero_eigenvalue():
    with pytest.raises(ValueError, match="a block has no nonzero eigenvalue: leave it out, or ask for the smallest"):
        spectral(BlockDiagonal([np.eye(2), np.zeros((2, 2))]), 1, "smallest-nonzero")


def test_eigenvectors_that_are_not_formed():
    """A low-rank block knows the eigenvectors of its range only."""
    layers = random_layers(np.random.default_rng(0), 2, 1, [(3, 3)])
    with pytest.raises(ValueError, match=r"eigenvectors of Spectral\(9×9.*are not formed: use a Kronecker or dense"):
        spectral(block_diagonal_fisher(layers), 1)
