"""Laws of `gradients`: the means of groups of columns of the Fisher root, kept as products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import Product
from kronlin.coarse import gradients
from kronlin.curvature import FisherRoot, LayerStatistics, fisher
from kronlin.galerkin import Galerkin
from kronlin.operators import BlockDiagonal, Dense, Diagonal, Selection
from tests.coarse.spaces import on_blocks, projector, tiny_level
from tests.libraries import NUMPY
from tests.matrices import each_dtype
from tests.nets import (
    close,
    fisher_by_definition,
    layer_lists,
    mlp_layers,
    random_layers,
    root_by_definition,
)


def means(layers, labels, lib=NUMPY):
    """The definition: `labels` has one entry a column (i, k)."""
    labels = np.asarray(labels)
    return [
        np.stack(
            [root_by_definition(layer, lib)[:, labels == group].mean(axis=1) for group in np.unique(labels)], axis=1
        )
        for layer in layers
    ]


@given(layer_lists(), st.data())
def test_definition(layers, data):
    n, K = layers[0].n, layers[0].K
    words = st.sampled_from(["ant", "cat", "bee"])
    one = data.draw(st.lists(words, min_size=n, max_size=n))
    each = np.array(data.draw(st.lists(words, min_size=n * K, max_size=n * K))).reshape(n, K)
    for groups, labels in ((None, [0] * n * K), (one, np.repeat(one, K)), (each, each.ravel())):
        close(gradients(layers, groups).to_dense(), on_blocks(means(layers, labels)))


def test_the_gradient_itself():
    """One group of empirical columns: the gradient of the mean loss, cut along the layers."""
    layers, gradient = mlp_layers(fisher="empirical")
    close(gradients(layers) @ np.ones(len(layers)), gradient)


@given(layer_lists(), st.integers(1, 3))
def test_orthogonal(layers, count):
    """Orthonormal columns of the same range; dependent ones are left out."""
    groups = [i % count for i in range(layers[0].n)]
    plain, Z = gradients(layers, groups), gradients(layers, groups, orthogonal=True)
    close(Z.to_dense().T @ Z.to_dense(), np.eye(Z.shape[1]))
    for columns, found in zip(plain.blocks, Z.blocks, strict=True):
        wanted, basis = columns.to_dense(), found.to_dense()
        assert found.shape[1] == np.linalg.matrix_rank(wanted / np.linalg.norm(wanted, axis=0), tol=1e-6)
        close(basis @ (basis.T @ wanted), wanted, 1e-9)


@pytest.mark.parametrize("angle", [1e-3, 1e-6])
def test_nearly_dependent_means_are_made_orthonormal(angle):
    """The smaller direction is known to eps / angle."""
    columns = np.array([[1.0, 0.0], [1.0, angle]])
    layers = [LayerStatistics(np.ones((2, 1)), columns)]
    Z = gradients(layers, [0, 1], orthogonal=True).to_dense()
    assert Z.shape == (2, 2)
    close(Z.T @ Z, np.eye(2), 1e-15 / angle)


@each_dtype()
def test_gradients_that_cancel_have_no_mean(lib, dtype):
    """Not even one of rounding errors, of which products would find others each time; the other mean is what it is."""
    g = np.array([[0.1, 0.7], [0.2, 0.5], [-0.3, -1.2], [0.3, 0.7]])
    layers = [LayerStatistics(lib.asarray(np.full((4, 1), 0.7), dtype), lib.asarray(g, dtype))]
    assert np.abs(root_by_definition(layers[0], lib)[:, :3].sum(axis=1)).max() < 1e-6
    for orthogonal in (False, True):
        Z = lib.numpy(gradients(layers, [0, 0, 0, 1], orthogonal).to_dense())
        assert not Z[:, :-1].any()
        close(Z[:, -1] / np.linalg.norm(Z[:, -1]), g[3] / np.linalg.norm(g[3]), 1e-6)
    assert lib.numpy(gradients(layers, [1, 1, 0, 0]).to_dense()).any(axis=0).all()


def test_short_means_are_kept_beside_long_ones():
    layers = [LayerStatistics(np.ones((2, 1)), np.array([[1.0, 1.0], [0.0, 1e-12]]))]
    Z = gradients(layers, [0, 1], orthogonal=True).to_dense()
    assert Z.shape == (2, 2)
    close(Z.T @ Z, np.eye(2))


def test_a_layer_without_gradient_is_dropped_and_counted():
    dead = LayerStatistics(np.ones((4, 2)), np.zeros((4, 3)))
    layers = [dead, *random_layers(np.random.default_rng(0), 4, 1, [(2, 2)])]
    Z = gradients(layers, [0, 1, 0, 1], orthogonal=True)
    assert [block.shape[1] for block in Z.blocks] == [1, 2]
    A = fisher(layers).damped(0.1)
    assert Galerkin(A, Z).dropped == 1
    assert Galerkin(A, gradients(layers, [0, 1, 0, 1])).dropped == 2


@given(layer_lists(), st.booleans())
def test_galerkin_matrix(layers, orthogonal):
    Z = gradients(layers, orthogonal=orthogonal)
    dense = fisher_by_definition(layers) + 0.5 * np.eye(Z.shape[0])
    close(Galerkin(fisher(layers).damped(0.5), Z).E, Z.to_dense().T @ dense @ Z.to_dense(), 1e-11)


def test_types():
    """The layers' own arrays, sorted by an index list; no column is formed."""
    layers = random_layers(np.random.default_rng(0), 4, 2, [(40, 30), (20, 30)])
    Z = gradients(layers, [0, 1, 0, 1])
    assert isinstance(Z, BlockDiagonal)
    for layer, block in zip(layers, Z.blocks, strict=True):
        assert isinstance(block, Product)
        assert tuple(map(type, block.factors)) == (FisherRoot, Selection, Diagonal)
        assert block.factors[0].inputs is layer.inputs
    assert Z.nbytes == sum(layer.inputs.nbytes + layer.output_gradients.nbytes + 2 * 8 for layer in layers)
    Z = gradients(layers, [0, 1, 0, 1], orthogonal=True)
    assert all(tuple(map(type, block.factors)) == (FisherRoot, Selection, Dense) for block in Z.blocks)


def test_equal_layers_are_computed_together():
    layers = random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (4, 3)], 2)
    Z = gradients(layers, [0, 1, 0, 1])
    assert Z.members == ((0, 2), (1,))
    close(Z @ np.eye(6), on_blocks(means(layers, np.repeat([0, 1, 0, 1], 2))))
    close(Z.H @ np.eye(30), on_blocks(means(layers, np.repeat([0, 1, 0, 1], 2))).T)


@each_dtype(("float32", "complex64"))
def test_every_library(lib, dtype):
    layers = tiny_level(lib, dtype).layers
    groups = lib.xp.asarray([2, 0, 2], device=lib.device)
    wanted = on_blocks(means(layers, [2, 2, 0, 0, 2, 2], lib))
    found = gradients(layers, groups) @ lib.asarray(np.eye(4), dtype)
    assert found.dtype == getattr(lib.xp, dtype)
    assert lib.owns(found)
    close(lib.numpy(found), wanted, 1e-5)
    basis = lib.numpy(gradients(layers, groups, orthogonal=True) @ lib.asarray(np.eye(4), dtype))
    close(projector(basis), projector(wanted), 1e-4)
    close(basis.conj().T @ basis, np.eye(4), 1e-5)


# Errors


@pytest.mark.parametrize("groups", [[0], [0] * 6, np.zeros((3, 3))])
def test_unfit_labels(groups):
    layers = random_layers(np.random.default_rng(0), 3, 2, [(2, 2)])
    with pytest.raises(ValueError, match=r"groups are labels \(3,\) of the examples or \(3, 2\), not"):
        gradients(layers, groups)


def test_no_layer():
    with pytest.raises(ValueError, match="layers is empty"):
        gradients([])


def test_a_direction_of_rounding_errors_is_left_out():
    """One weight, two groups: the columns are dependent, and what cancels in them makes their Gram matrix look regular."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        layer = LayerStatistics(rng.standard_normal((2, 3, 1)), rng.standard_normal((2, 3, 2, 1)))
        Z = gradients([layer], [0, 1], orthogonal=True)
        assert Z.shape == (1, 1)
        close(abs(Z.to_dense()), np.ones((1, 1)))
