"""Laws of `random`: orthonormal Gaussian columns on each block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.coarse import random
from kronlin.curvature import kfac
from kronlin.operators import BlockDiagonal, Dense
from tests.coarse.spaces import on_blocks, pieces, tiny_level
from tests.libraries import NUMPY
from tests.matrices import each_dtype
from tests.nets import close, random_layers


@given(st.lists(st.integers(2, 5), min_size=1, max_size=4), st.integers(1, 2), st.integers(0, 99))
def test_definition(sizes, k, seed):
    """Q of Q R = G with a positive diagonal of R, G the Gaussian columns of the seed."""
    gaussian = np.random.default_rng(seed).standard_normal((sum(sizes), k))
    wanted = []
    for piece in pieces(sizes, gaussian):
        q, r = np.linalg.qr(piece)
        wanted.append(q * np.sign(np.diag(r)))
    Z = random(BlockDiagonal([np.eye(size) for size in sizes]), k, seed).to_dense()
    close(Z, on_blocks(wanted))
    close(Z.T @ Z, np.eye(k * len(sizes)))


def test_types():
    K = kfac(random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (4, 3)]))
    Z = random(K, 3)
    assert isinstance(Z, BlockDiagonal)
    assert all(isinstance(bucket, Dense) for bucket in Z.buckets)
    assert Z.members == ((0, 2), (1,))
    assert Z.shape == (30, 9)
    assert Z.nbytes == 8 * 30 * 3
    assert np.abs(random(K, 3, seed=1).to_dense() - Z.to_dense()).max() > 0.1


@each_dtype(("float32", "complex64"))
def test_the_same_numbers_on_every_library(lib, dtype):
    Z = random(tiny_level(lib, dtype).K, 1, seed=3)
    found = Z @ lib.asarray(np.eye(2), dtype)
    assert found.dtype == getattr(lib.xp, dtype)
    assert lib.owns(found)
    close(lib.numpy(found), random(tiny_level(NUMPY, dtype).K, 1, seed=3).to_dense(), 1e-6)
    close(lib.numpy(Z.H @ found), np.eye(2), 1e-6)


@pytest.mark.parametrize("k", [0, 3])
def test_k_out_of_range(k):
    with pytest.raises(ValueError, match=f"k = {k} random columns a block: choose between 1 and 2, the smallest"):
        random(BlockDiagonal([np.eye(3), np.eye(2)]), k)


def test_blocks_must_be_square():
    with pytest.raises(ValueError, match="built from square blocks"):
        random(np.ones((2, 1)))
