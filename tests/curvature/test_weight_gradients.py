"""`weight_gradients`: the columns of a root as matrices, whatever the size of the pieces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import memory_limit
from kronlin.curvature import FisherRoot
from kronlin.curvature._weight_gradients import weight_gradients
from tests.nets import close, layer_lists, random_layers, root_by_definition, tiny_layers


def root_of(layer):
    return FisherRoot(layer.inputs, layer.output_gradients)


@given(layer_lists(), st.integers(1, 5000))
def test_pieces_are_the_columns(layers, limit):
    """Each column once, in pieces of which four stay under the limit, or of one column; the order is not promised."""
    with memory_limit(limit):
        for layer in layers:
            pieces = list(weight_gradients(root_of(layer)))
            assert all(4 * piece.nbytes <= limit or len(piece) == 1 for piece in pieces)
            found = np.concatenate(pieces).reshape(-1, layer.parameters)
            wanted = root_by_definition(layer).T
            assert found.shape == wanted.shape
            close(found[np.lexsort(found.round(9).T)], wanted[np.lexsort(wanted.round(9).T)])


@pytest.mark.parametrize("limit", [2**28, 4 * 13 * 16])
def test_every_library(lib, limit):
    layer = tiny_layers(lib, "complex128")[0]
    with memory_limit(limit):
        pieces = list(weight_gradients(root_of(layer)))
    assert len(pieces) == (1 if limit == 2**28 else 3)
    assert all(lib.owns(piece) for piece in pieces)
    found = np.concatenate([lib.numpy(piece) for piece in pieces])
    close(found.reshape(6, 6).T, root_by_definition(layer, lib))


def test_a_piece_takes_as_many_columns_as_fit():
    root = root_of(random_layers(np.random.default_rng(0), 3, 4, [(2, 3)], 2)[0])
    for entries, lengths in ((72, [12]), (48, [8, 4]), (24, [4] * 3), (18, [3] * 4), (1, [1] * 12)):
        with memory_limit(4 * 8 * entries):
            assert [len(piece) for piece in weight_gradients(root)] == lengths
