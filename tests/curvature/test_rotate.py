"""Laws of rotation: the diagonal of an operator in the eigenbasis of another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.libraries import NUMPY, eager
from tests.matrices import adjoint, hermitian, normal, positive
from tests.nets import close, random_layers, tiny_layers

SIZES = [(2, 3), (3, 2), (2, 3)]


def layers(seed, lib=NUMPY, dtype="float64"):
    return random_layers(np.random.default_rng(seed), 4, 2, SIZES, 2, lib, dtype)


def by_definition(A, basis, lib=NUMPY):
    """W' = diag(Q'ᴴ A Q') block by block."""
    found = []
    for a, b in zip(A.blocks, basis.blocks, strict=True):
        Q = lib.numpy(b.eigh().Q.to_dense())
        w = np.diag(adjoint(Q) @ lib.numpy(a.to_dense()) @ Q).real
        found.append((Q * w) @ adjoint(Q))
    return found


@given(st.integers(0, 99), st.sampled_from(["float64", "complex128"]))
def test_definition(seed, dtype):
    old, new = layers(seed, dtype=dtype), layers(seed + 1, dtype=dtype)
    for A in (kl.ekfac(old), kl.kfac(old), kl.mini_block_fisher(old[:1])):
        basis = kl.mini_block_fisher(new[:1]) if A.shape[0] == 6 else kl.kfac(new)
        found = kl.rotate(A, basis)
        assert type(found) is kl.BlockDiagonal
        assert all(type(bucket) is kl.Spectral for bucket in found.buckets)
        for block, wanted in zip(found.blocks, by_definition(A, basis), strict=True):
            close(block.to_dense(), wanted)


@given(st.integers(0, 99))
def test_what_is_kept_and_what_is_lost(seed):
    """The trace is kept; by Pythagoras the norm shrinks; eigenvalues stay in their range; no w' is nearer."""
    A, basis = kl.ekfac(layers(seed)), kl.kfac(layers(seed + 1))
    for a, found in zip(A.blocks, kl.rotate(A, basis).blocks, strict=True):
        np.testing.assert_allclose(found.trace(), a.trace(), rtol=1e-12)
        lost = np.linalg.norm(a.to_dense() - found.to_dense())
        np.testing.assert_allclose(lost**2 + (found.w**2).sum(), (a.w**2).sum(), rtol=1e-10)
        assert a.w.min() - 1e-12 <= found.w.min()
        assert found.w.max() <= a.w.max() * (1 + 1e-12)
        nearby = kl.Spectral(found.Q, found.w + 0.1 * normal(found.w.shape, seed=seed))
        assert np.linalg.norm(a.to_dense() - nearby.to_dense()) > lost


def test_nothing_changes_in_its_own_basis():
    A = kl.ekfac(layers(0))
    for found, wanted in zip(kl.rotate(A, A).blocks, A.blocks, strict=True):
        close(found.w, wanted.w)
    close(kl.rotate(kl.kfac(layers(0)), kl.kfac(layers(0))).to_dense(), kl.kfac(layers(0)).to_dense())


def test_there_and_back_is_not_where_it_began():
    """What was off the diagonal is lost."""
    A, basis = kl.ekfac(layers(0)), kl.kfac(layers(1))
    assert float((kl.rotate(kl.rotate(A, basis), A) - A).norm()) > 0.1 * float(A.norm())


def test_of_the_exact_blocks_it_is_ekfac():
    """EK-FAC is the Fisher matrix in the basis of K-FAC."""
    F = kl.BlockDiagonal([block.to_dense() for block in kl.block_diagonal_fisher(layers(0)).blocks])
    close(kl.rotate(F, kl.kfac(layers(0))).to_dense(), kl.ekfac(layers(0)).to_dense())


def test_a_spectral_operator_with_a_rest():
    A = kl.Spectral(np.linalg.qr(normal((4, 2)))[0], np.array([3.0, 5.0]), rest=1.0)
    Q = np.linalg.eigh(hermitian(4))[1]
    found = kl.rotate(A, kl.assume(hermitian(4), "self-adjoint"))
    close(found.w, np.diag(Q.T @ A.to_dense() @ Q))


@pytest.mark.parametrize("lib", eager(), ids=str)
@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64"])
def test_every_library(lib, dtype):
    A, basis = kl.ekfac(tiny_layers(lib, dtype)), kl.kfac(layers(5, lib, dtype)[1:2] * 2)
    found = kl.rotate(A, basis)
    assert found.kind == A.kind
    assert found.buckets[0].w.dtype == A.kind.real.dtype
    for block, wanted in zip(found.blocks, by_definition(A, basis, lib), strict=True):
        close(lib.numpy(block.to_dense()), wanted, 1e-12 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize(
    ("A", "basis", "match"),
    [
        (np.eye(2), np.eye(3), "both need the same size and the same blocks"),
        (kl.BlockDiagonal([np.eye(2), np.eye(3)]), kl.BlockDiagonal([np.eye(3), np.eye(2)]), "the same blocks"),
        (kl.BlockDiagonal([np.eye(2), np.eye(3)]), np.eye(5), "the same blocks"),
        (np.eye(5), kl.BlockDiagonal([np.eye(2), np.eye(3)]), "the same blocks"),
        (np.triu(positive(3)), np.eye(3), "not known to be self-adjoint"),
        (np.eye(3), np.triu(positive(3)), "eigh needs a self-adjoint operator"),
    ],
)
def test_arguments_are_checked(A, basis, match):
    with pytest.raises(ValueError, match=match):
        kl.rotate(A, basis)
