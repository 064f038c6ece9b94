"""Laws of `aggregation`: zeros and ones on the rows, columns and tiles of each weight, kept as R ⊗ C."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import Identity, rules
from kronlin.coarse import aggregation, nicolaides
from kronlin.curvature import block_diagonal_fisher, fisher, kfac
from kronlin.galerkin import Galerkin
from kronlin.operators import BlockDiagonal, Dense, Kronecker, Selection
from tests.coarse.spaces import on_blocks, tiny_level
from tests.libraries import NUMPY
from tests.matrices import each_dtype
from tests.nets import close, fisher_by_definition, layer_lists, random_layers


def by_definition(d_out, d_in, rows, columns):
    """A column for each pair of a row label and a column label, in their order: 1 where both fit."""
    rows, columns = np.asarray(rows), np.asarray(columns)
    weights = [np.outer(rows == u, columns == v).ravel() for u in np.unique(rows) for v in np.unique(columns)]
    assert all(weight.size == d_out * d_in for weight in weights)
    return np.stack(weights, axis=1).astype(float)


def shapes_of(layers):
    return [(layer.d_out, layer.d_in) for layer in layers]


@given(layer_lists(), st.sampled_from(["rows", "columns", "layer"]), st.booleans())
def test_names(layers, by, bias):
    wanted = []
    for m, n in shapes_of(layers):
        rows, columns = [0] * m, [0] * n
        rows = range(m) if by == "rows" else rows
        columns = range(n) if by == "columns" else columns
        if bias:
            columns = [label + (100 if j == n - 1 else 0) for j, label in enumerate(columns)]
        wanted.append(by_definition(m, n, rows, columns))
    K = kfac(layers)
    for blocks in (K, K.damped(0.3), K.damped(0.3).inverse()):
        np.testing.assert_array_equal(aggregation(blocks, by, bias=bias).to_dense(), on_blocks(wanted))


@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_labels(m, n, data):
    """Numbers and words, in any order, gaps included."""
    rows = data.draw(st.lists(st.sampled_from([5, -1, 7]), min_size=m, max_size=m))
    columns = data.draw(st.lists(st.sampled_from(["a", "c", "b"]), min_size=n, max_size=n))
    block = Kronecker(np.eye(m), np.eye(n))
    for right, labels in ((columns, columns), (None, [0] * n), ("each", range(n))):
        Z = aggregation(block, [(np.array(rows), right)])
        np.testing.assert_array_equal(Z.to_dense(), by_definition(m, n, rows, labels))
        assert np.all(Z.to_dense().sum(axis=1) == 1)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12))
def test_contiguous_groups(m, n, count):
    """At most `count` groups, in order, whose sizes differ by 1 at most; capped at one row each."""
    Z = aggregation(Kronecker(np.eye(m), np.eye(n)), (count, None)).to_dense()
    sizes = Z.sum(axis=0) / n
    assert len(sizes) == min(count, m)
    assert sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(Z, by_definition(m, n, np.repeat(np.arange(len(sizes)), sizes.astype(int)), [0] * n))


def test_powers_of_two_span_the_functions_of_haar():
    constant, half = np.ones(8), np.repeat([1.0, -1.0], 4)
    quarters = [np.repeat([1.0, -1.0, 0, 0], 2), np.repeat([0, 0, 1.0, -1.0], 2)]
    Z = aggregation(Kronecker(np.eye(8), np.eye(1)), (4, None)).to_dense()
    for function in (constant, half, *quarters):
        close(Z @ np.linalg.lstsq(Z, function, rcond=None)[0], function)


def test_one_group_is_the_space_of_nicolaides():
    K = kfac(random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3)]))
    np.testing.assert_array_equal(aggregation(K, "layer").to_dense(), nicolaides(K).to_dense())


def test_a_tuple_a_block():
    K = kfac(random_layers(np.random.default_rng(0), 4, 2, [(2, 3), (3, 1)]))
    Z = aggregation(K, [(None, [0, 1, 0]), ("each", None)])
    wanted = on_blocks([by_definition(2, 3, [0, 0], [0, 1, 0]), by_definition(3, 1, range(3), [0])])
    np.testing.assert_array_equal(Z.to_dense(), wanted)


@given(layer_lists())
def test_shapes_where_the_blocks_do_not_tell(layers):
    blocks, shapes = block_diagonal_fisher(layers), shapes_of(layers)
    Z = aggregation(blocks, "rows", shapes=shapes)
    np.testing.assert_array_equal(Z.to_dense(), aggregation(kfac(layers), "rows").to_dense())
    dense = fisher_by_definition(layers) + 0.5 * np.eye(len(Z.to_dense()))
    close(Galerkin(fisher(layers).damped(0.5), Z).E, Z.to_dense().T @ dense @ Z.to_dense())


def test_types():
    K = kfac(random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (4, 3)]))
    for by, types in {
        "rows": (Identity, Dense),
        "columns": (Dense, Identity),
        "layer": (Dense, Dense),
        (2, 2): (Selection, Selection),
    }.items():
        Z = aggregation(K, by)
        assert isinstance(Z, BlockDiagonal)
        assert Z.members == ((0, 2), (1,))
        assert all(isinstance(bucket, Kronecker) for bucket in Z.buckets)
        assert tuple(map(type, Z.buckets[0].factors)) == types
        assert Z.nbytes <= 8 * (4 + 3 + 2 + 3 + 4 + 3)
    assert type(aggregation(K, "rows", bias=True).buckets[0].factors[1]) is Selection


def test_columns_of_one_block_share_no_entry():
    K = kfac(random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 5)]))
    np.testing.assert_array_equal(rules.gram(aggregation(K), aggregation(K)), np.diag([3.0] * 4 + [5.0] * 2))


@each_dtype(("float32", "complex64"))
def test_every_library(lib, dtype):
    blocks, wanted = tiny_level(lib, dtype).K, aggregation(tiny_level(NUMPY, dtype).K, (2, "each")).to_dense()
    Z = aggregation(blocks, (2, "each"))
    found = Z @ lib.asarray(np.eye(8), dtype)
    assert found.dtype == getattr(lib.xp, dtype)
    assert lib.owns(found)
    np.testing.assert_array_equal(lib.numpy(found), wanted)
    np.testing.assert_array_equal(lib.numpy(Z.H @ found), wanted.T @ wanted)
    labels = lib.xp.asarray([1, 0, 1], device=lib.device)
    labelled = aggregation(blocks, (labels, None)) @ lib.asarray(np.eye(4), dtype)
    np.testing.assert_array_equal(lib.numpy(labelled)[:6, :2].real, by_definition(3, 2, [1, 0, 1], [0, 0]))


# Errors


@pytest.mark.parametrize("block", [np.eye(4), Kronecker(np.eye(2), np.eye(1), np.eye(2))])
def test_blocks_that_do_not_tell(block):
    with pytest.raises(
        ValueError, match=r"is no Kronecker product of two factors: pass shapes=\[\(d_out, d_in\), ...\]"
    ):
        aggregation(block)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"a weight of shape \(2, 3\) has 6 entries, its block 4"):
        aggregation(np.eye(4), shapes=[(2, 3)])
    with pytest.raises(ValueError, match="shapes has 2 entries for 1 blocks"):
        aggregation(np.eye(4), shapes=[(2, 2), (2, 2)])


def test_unknown_by():
    with pytest.raises(ValueError, match=r"unknown by 'row': choose one of 'rows', 'columns', 'layer', or pass groups"):
        aggregation(np.eye(4), "row", shapes=[(2, 2)])


@pytest.mark.parametrize("by", [(None,), [(None, None)] * 2, [None]])
def test_unfit_by(by):
    with pytest.raises(ValueError, match=r"by is a tuple \(r, c\) for all 1 blocks, or a list of one tuple a block"):
        aggregation(np.eye(4), by, shapes=[(2, 2)])


@pytest.mark.parametrize("groups", [0, [1, 2, 3], "every"])
def test_unfit_groups(groups):
    with pytest.raises(ValueError, match="rows are grouped by None, a number ≥ 1 or 2 labels, not"):
        aggregation(np.eye(4), (groups, None), shapes=[(2, 2)])


def test_blocks_must_be_square():
    with pytest.raises(ValueError, match="built from square blocks"):
        aggregation(np.ones((2, 1)))
