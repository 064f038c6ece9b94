"""Laws of `krylov`: orthonormal bases of the span of u, M u, M² u, … on each block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.coarse import krylov, nicolaides
from kronlin.galerkin import Galerkin
from kronlin.operators import BlockDiagonal, Dense, Spectral
from tests.coarse.spaces import Level, pieces, projector, tiny_level
from tests.libraries import NUMPY
from tests.matrices import each_dtype
from tests.nets import close, layer_lists, random_layers
from tests.triples import random_spd


def powers(M, u, depth):
    """The definition."""
    columns = [u]
    for _ in range(depth - 1):
        columns.append(M @ columns[-1])
    return np.stack(columns, axis=1)


@given(st.lists(st.integers(3, 6), min_size=1, max_size=4), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_definition(sizes, depth, seed):
    rng = np.random.default_rng(seed)
    M = BlockDiagonal([random_spd(rng, size, 1) for size in sizes])
    u = rng.standard_normal(sum(sizes))
    for start, vector in (("ones", np.ones(sum(sizes))), (u, u)):
        Z = krylov(M, M, start, depth)
        close(gram(Z), np.eye(Z.shape[1]))
        for block, found, piece in zip(M.blocks, Z.blocks, pieces(sizes, vector), strict=True):
            wanted = powers(block.to_dense(), piece, depth)
            assert found.shape == wanted.shape
            close(projector(found.to_dense()), projector(wanted), 1e-5)


def gram(Z):
    return Z.to_dense().conj().T @ Z.to_dense()


def test_depth_one_is_the_space_of_the_start():
    level = tiny_level(NUMPY, "float64")
    Z = krylov(level.K, level.M, depth=1)
    close(Z.to_dense() * np.sqrt(6), nicolaides(level.K).to_dense())


@given(layer_lists(), st.integers(1, 12))
def test_an_exhausted_space_ends(layers, depth):
    """Its dimension on a block is at most that of the block, and the basis stays orthonormal."""
    level = Level(layers)
    Z = krylov(level.K, level.M, depth=depth)
    close(gram(Z), np.eye(Z.shape[1]), 1e-10)
    for size, block in zip(level.sizes, Z.blocks, strict=True):
        assert 1 <= block.shape[1] <= min(size, depth)


def test_the_dimension_is_that_of_the_eigenvectors_met():
    M = BlockDiagonal([np.diag([1.0, 1.0, 2.0, 3.0]), 2 * np.eye(4), np.diag([1.0, 2.0, 3.0, 4.0])])
    assert [block.shape[1] for block in krylov(M, M, depth=9).blocks] == [3, 1, 4]


@pytest.mark.parametrize("depth", [5, 10])
def test_high_powers_stay_independent(depth):
    """M^(q-1) u itself would be the leading eigenvector to rounding: its condition number is 1e6."""
    M = np.diag(np.logspace(0, 6, 12))
    Z = krylov(M, M, depth=depth).to_dense()
    assert Z.shape == (12, depth)
    close(Z.T @ Z, np.eye(depth))
    # tridiagonal in this basis, as for the Krylov space of a self-adjoint M
    T = Z.T @ M @ Z
    assert np.abs(np.triu(T, 2)).max() <= 1e-12 * np.abs(T).max()


def test_types():
    level = Level(random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)]))
    Z = krylov(level.exact, level.M, depth=3)
    assert isinstance(Z, BlockDiagonal)
    assert all(isinstance(bucket, Dense) for bucket in Z.buckets)
    assert Z.members == ((0, 2), (1,))
    assert Z.nbytes == 8 * 30 * 3
    assert all(isinstance(bucket, Spectral) for bucket in level.M.buckets)


def test_a_block_on_which_the_start_is_zero_is_dropped_and_counted():
    M = BlockDiagonal([np.diag([1.0, 2.0]), np.diag([1.0, 3.0])])
    Z = krylov(M, M, np.array([0.0, 0.0, 1.0, 1.0]), 2)
    assert Z.shape == (4, 3)
    coarse = Galerkin(np.eye(4), Z)
    assert coarse.dropped == 1
    close(coarse.Q.to_dense(), np.diag([0.0, 0.0, 1.0, 1.0]))


@each_dtype(("float32", "complex64"))
def test_every_library(lib, dtype):
    level = tiny_level(lib, dtype)
    Z = krylov(level.K, level.M, level.b, 2)
    found = Z @ lib.asarray(np.eye(4), dtype)
    assert found.dtype == getattr(lib.xp, dtype)
    assert lib.owns(found)
    wide = tiny_level(NUMPY, "complex128" if dtype.startswith("complex") else "float64")
    wanted = krylov(wide.K, wide.M, wide.b, 2).to_dense()
    close(projector(lib.numpy(found)), projector(wanted), 1e-4)


def test_complex_start_of_a_real_preconditioner():
    M = np.diag([1.0, 2.0, 3.0])
    u = np.array([1.0, 1j, 2.0])
    Z = krylov(M, M, u, 2)
    assert Z.dtype == np.complex128
    close(projector(Z.to_dense()), projector(powers(M, u, 2)))


# Errors


def test_other_cuts():
    with pytest.raises(ValueError, match=r"krylov: blocks and M must be block diagonal with .* \[2, 1\] and \[3\]"):
        krylov(BlockDiagonal([np.eye(2), np.eye(1)]), np.eye(3))


@pytest.mark.parametrize("start", ["zeros", None])
def test_unknown_start(start):
    with pytest.raises(ValueError, match=r'start is "ones" or a vector \(2,\), not'):
        krylov(np.eye(2), np.eye(2), start)


@pytest.mark.parametrize("start", [np.ones(3), np.ones((2, 1)), np.array([1.0, np.nan])])
def test_unfit_start(start):
    with pytest.raises(ValueError, match=r"start must be a finite vector of shape \(2,\)"):
        krylov(np.eye(2), np.eye(2), start)


def test_depth():
    with pytest.raises(ValueError, match="depth = 0, but it is the number of columns a block, at least 1"):
        krylov(np.eye(2), np.eye(2), depth=0)
