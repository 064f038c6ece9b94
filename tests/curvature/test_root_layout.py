"""The columns of a product with `FisherRoot` in memory: each in one piece, on the way out and on the way in."""

import numpy as np
import pytest

from kronlin.arrays import lies_by_columns
from kronlin.curvature import FisherRoot
from kronlin.operators import VStack
from tests.libraries import NUMPY, fast
from tests.nets import close, random_layers, root_by_definition

SHAPES = {"plain": (4, 1, 1, 3, 2), "columns": (3, 1, 2, 2, 4), "positions": (3, 2, 1, 3, 4), "both": (2, 3, 2, 4, 3)}
SHAPE = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
DTYPE = pytest.mark.parametrize("dtype", ["float64", "complex128"])


def make(shape, lib, dtype):
    """A root, its dense matrix, and arrays to multiply either with."""
    n, S, K, d_out, d_in = shape
    rng = np.random.default_rng(0)
    layer = random_layers(rng, n, K, [(d_out, d_in)], S, lib, dtype)[0]
    x, y = (rng.standard_normal((rows, 4)).astype(dtype) for rows in (n * K, d_out * d_in))
    return FisherRoot(layer.inputs, layer.output_gradients), root_by_definition(layer, lib), x, y


@SHAPE
@DTYPE
def test_products_come_column_by_column(shape, dtype):
    U, _, x, _ = make(shape, NUMPY, dtype)
    assert lies_by_columns(U @ x)
    assert lies_by_columns(
        VStack([U, FisherRoot(np.ones((x.shape[0], 2), dtype), np.ones((x.shape[0], 2), dtype))]) @ x
    )


@SHAPE
@DTYPE
@pytest.mark.parametrize("library", fast(), ids=str)
def test_the_order_in_memory_does_not_matter(library, shape, dtype):
    U, dense, _, y = make(shape, library, dtype)
    across = library.asarray(y)
    along = library.asarray(np.ascontiguousarray(y.T)).T
    for given in (across, along):
        close(library.numpy(U.H @ given), dense.conj().T @ y)
    two = library.asarray(np.ascontiguousarray(np.concatenate([y, 2 * y]).T)).T
    close(library.numpy(VStack([U, U]).H @ two), 3 * dense.conj().T @ y)
