"""Laws of `residual`: M (b - A M b), a column a block."""

import numpy as np
import pytest
from hypothesis import given

from kronlin.coarse import residual
from kronlin.galerkin import Galerkin
from kronlin.operators import BlockDiagonal, Dense
from kronlin.twolevel import two_level
from tests.coarse.spaces import Level, on_blocks, pieces, tiny_level
from tests.libraries import NUMPY
from tests.matrices import each_dtype
from tests.nets import close, layer_lists, random_layers


@given(layer_lists())
def test_definition(layers):
    level = Level(layers)
    A, M = level.A.to_dense(), level.M.to_dense()
    z = M @ (level.b - A @ (M @ level.b))
    Z = residual(level.K, level.A, level.M, level.b)
    wanted = on_blocks([piece[:, None] for piece in pieces(level.sizes, z)])
    assert Z.shape == wanted.shape
    rounding = np.linalg.norm(M, 2) * np.linalg.norm(level.b) * (1 + np.linalg.norm(A, 2) * np.linalg.norm(M, 2))
    assert np.abs(Z.to_dense() - wanted).max() <= 1e-13 * rounding


def test_types():
    layers = random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (4, 3)])
    level = Level(layers)
    for blocks in (level.K, level.M, level.exact):
        Z = residual(blocks, level.A, level.M, level.b)
        assert isinstance(Z, BlockDiagonal)
        assert all(isinstance(bucket, Dense) for bucket in Z.buckets)
        assert Z.members == ((0, 2), (1,))
        assert Z.nbytes == 8 * 30


@given(layer_lists())
def test_the_step_has_the_best_length_on_each_block(layers):
    """A-DEF2 with this space is M b + Z c, and no other c has a smaller error: Zᴴ A (x - A⁻¹ b) = 0."""
    level = Level(layers)
    Z = residual(level.K, level.A, level.M, level.b)
    x = two_level(level.A, level.M, Z, "A-DEF2") @ level.b
    c = np.linalg.lstsq(Z.to_dense(), x - level.M @ level.b, rcond=None)[0]
    close(level.M @ level.b + Z @ c, x, 1e-8)
    assert np.abs(Z.H @ (level.A @ x - level.b)).max() <= 1e-8 * np.linalg.norm(Z.to_dense()) * np.linalg.norm(level.b)


def test_a_block_without_residual_is_dropped_and_counted():
    """M is exact on the second block."""
    A = np.diag([1.0, 2.0, 3.0, 4.0])
    M = BlockDiagonal([np.eye(2), np.diag([1 / 3, 1 / 4])])
    Z = residual(M, A, M, np.ones(4))
    np.testing.assert_array_equal(Z.to_dense()[:, 1], np.zeros(4))
    assert Galerkin(A, Z).dropped == 1
    assert Galerkin(A, residual(M, A, np.diag(1 / np.diag(A)), np.ones(4) * 0)).dropped == 2


@each_dtype(("float32", "complex64"))
def test_every_library(lib, dtype):
    level = tiny_level(lib, dtype)
    found = residual(level.K, level.A, level.M, level.b) @ lib.asarray(np.eye(2), dtype)
    assert found.dtype == getattr(lib.xp, dtype)
    assert lib.owns(found)
    wide = tiny_level(NUMPY, "complex128" if dtype.startswith("complex") else "float64")
    wanted = residual(wide.K, wide.A, wide.M, wide.b).to_dense()
    close(lib.numpy(found), wanted, 1e-4)


def test_complex_right_hand_side_of_a_real_system():
    level = tiny_level(NUMPY, "float64")
    Z = residual(level.K, level.A, level.M, level.b * 1j)
    close(Z.to_dense(), 1j * residual(level.K, level.A, level.M, level.b).to_dense())
    assert Galerkin(level.A, Z).dropped == 0


# Errors


@pytest.mark.parametrize(("A", "M", "b"), [(2, 3, 3), (3, 2, 3), (3, 3, 2)])
def test_shapes(A, M, b):
    with pytest.raises(
        ValueError, match=r"residual takes A and M of the shape \(3, 3\) of the blocks and b \(3,\), not"
    ):
        residual(np.eye(3), np.eye(A), np.eye(M), np.ones(b))


def test_a_block_of_right_hand_sides_is_refused():
    with pytest.raises(ValueError, match=r"b \(3,\), not .* and \(3, 1\)"):
        residual(np.eye(3), np.eye(3), np.eye(3), np.ones((3, 1)))


def test_not_finite():
    with pytest.raises(ValueError, match="residual: b has an entry that is NaN or infinite"):
        residual(np.eye(2), np.eye(2), np.eye(2), np.array([1.0, np.inf]))


def test_blocks_must_be_square():
    with pytest.raises(ValueError, match="built from square blocks"):
        residual(np.ones((2, 1)), np.eye(2), np.eye(2), np.ones(2))
