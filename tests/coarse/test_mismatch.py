"""Laws of `mismatch`: generalised eigenvectors F z = μ M⁻¹ z of each block with μ farthest from 1."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from kronlin.coarse import _mismatch as module
from kronlin.coarse import mismatch
from kronlin.krylov import condition_number
from kronlin.operators import BlockDiagonal, Dense
from kronlin.twolevel import two_level
from tests.coarse.spaces import Level, projector, tiny_level
from tests.libraries import NUMPY
from tests.matrices import each_dtype
from tests.nets import close, layer_lists, random_layers
from tests.triples import deflated_spectrum

MEASURES = {"difference": lambda mu: np.abs(mu - 1), "ratio": lambda mu: np.abs(np.log(mu))}


@given(layer_lists(), st.sampled_from(list(MEASURES)), st.data())
def test_definition(layers, measure, data):
    level = Level(layers)
    k = data.draw(st.integers(1, min(level.sizes)))
    Z = mismatch(level.exact, level.M, k, measure)
    for F, M, found in zip(level.exact.blocks, level.M.blocks, Z.blocks, strict=True):
        exact, inverse, z = F.to_dense(), np.linalg.inv(M.to_dense()), found.to_dense()
        mu = scipy.linalg.eigh(exact, inverse, eigvals_only=True)
        quotients = np.diag(z.T @ exact @ z)
        close(z.T @ inverse @ z, np.eye(k), 1e-10)
        assert np.abs(exact @ z - inverse @ z * quotients).max() <= 1e-10 * np.abs(exact).max() * np.abs(z).max()
        wanted = np.sort(MEASURES[measure](mu))[::-1][:k]
        np.testing.assert_allclose(MEASURES[measure](quotients), wanted, atol=1e-9 * max(1, wanted[0]))


def test_the_two_measures():
    """μ = 0.01, 1 and 5: the first is farthest in ratio, the last in difference."""
    F = np.diag([0.01, 1.0, 5.0])
    for measure, wanted in {"ratio": [0, 2, 1], "difference": [2, 0, 1]}.items():
        Z = mismatch(F, np.eye(3), 3, measure).to_dense()
        assert np.abs(Z).argmax(axis=0).tolist() == wanted


def test_an_exact_preconditioner_leaves_a_tie():
    close(mismatch(np.eye(3), np.eye(3), 2).to_dense(), np.eye(3)[:, :2])


def test_deflation_leaves_the_rest_of_the_spectrum_of_one_block():
    level = Level(random_layers(np.random.default_rng(0), 4, 2, [(3, 3)]))
    A, M = level.A.to_dense(), level.M.to_dense()
    theta = np.sort(np.linalg.eigvals(M @ A).real)
    Z = mismatch(level.exact, level.M, 3, "ratio").to_dense()
    kept = np.sort(theta[np.argsort(np.abs(np.log(theta)))[:-3]])
    np.testing.assert_allclose(deflated_spectrum(A, M, Z), kept, rtol=1e-9)


def test_improves_the_condition():
    level = Level(random_layers(np.random.default_rng(0), 6, 2, [(3, 3), (3, 4)]), 1e-2)
    B = two_level(level.A, level.M, mismatch(level.exact, level.M, 6, "ratio"), "BNN")
    assert float(condition_number(level.A, B)) < 0.2 * float(condition_number(level.A, level.M))


def test_types():
    level = Level(random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (4, 3)]))
    Z = mismatch(level.exact, level.M, 2)
    assert isinstance(Z, BlockDiagonal)
    assert all(isinstance(bucket, Dense) for bucket in Z.buckets)
    assert Z.members == ((0, 2), (1,))
    assert Z.nbytes == 8 * 30 * 2


@each_dtype(("float32", "complex64"))
def test_every_library(lib, dtype):
    level = tiny_level(lib, dtype)
    found = mismatch(level.exact, level.M) @ lib.asarray(np.eye(2), dtype)
    assert found.dtype == getattr(lib.xp, dtype)
    assert lib.owns(found)
    wide = tiny_level(NUMPY, "complex128" if dtype.startswith("complex") else "float64")
    wanted = mismatch(wide.exact, wide.M).to_dense()
    close(projector(lib.numpy(found)), projector(wanted), 1e-4)


# Errors


def test_unknown_measure():
    with pytest.raises(ValueError, match="unknown measure 'distance': choose one of 'difference', 'ratio'"):
        mismatch(np.eye(2), np.eye(2), 1, "distance")


def test_other_cuts():
    with pytest.raises(ValueError, match=r"mismatch: blocks and M must be block diagonal with .* \[3\] and \[2, 1\]"):
        mismatch(np.eye(3), BlockDiagonal([np.eye(2), np.eye(1)]))


@pytest.mark.parametrize("k", [0, 3])
def test_k_out_of_range(k):
    with pytest.raises(ValueError, match=f"k = {k} vectors a block: choose between 1 and 2"):
        mismatch(np.eye(2), np.eye(2), k)


def test_too_large(monkeypatch):
    monkeypatch.setattr(module, "DENSE_LIMIT", 2)
    with pytest.raises(ValueError, match=r"block of size 3 is above the limit of 2 .*ritz\(F_l, k, M_l, 'largest'\)"):
        mismatch(np.eye(3), np.eye(3))


def test_singular_or_indefinite_preconditioner():
    level = Level(random_layers(np.random.default_rng(0), 1, 1, [(3, 3)]))
    with pytest.raises(ValueError, match=r"mismatch needs a positive definite M, and .* is known not to be: damp it"):
        mismatch(level.exact, level.K.eigh())
    with pytest.raises(ValueError, match="is not real"):
        mismatch(np.eye(2), np.diag([1.0, -1.0]))
