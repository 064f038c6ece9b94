"""Exact damping with one number a layer, of everything that is cut into layers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Product, Scaled, Sum
from kronlin.operators import fallback
from tests.libraries import NUMPY
from tests.matrices import normal, positive
from tests.nets import close, layer_lists, random_layers, tiny_layers

LAMS = [0.1, 0.2, 0.3]
BLOCKS = {
    "kfac": kl.kfac,
    "ekfac": kl.ekfac,
    "tkfac": kl.tkfac,
    "kpsvd": kl.kpsvd,
    "foof": kl.foof,
    "shampoo": kl.shampoo,
    "exact": kl.block_diagonal_fisher,
}


def net(n=3):
    return random_layers(np.random.default_rng(0), n, 1, [(3, 2), (2, 4), (3, 2)])


def shift(layers, lams):
    return np.diag(np.concatenate([np.full(layer.parameters, lam) for layer, lam in zip(layers, lams, strict=True)]))


@pytest.mark.parametrize("name", BLOCKS)
def test_block_by_block(name):
    layers, b = net(), np.arange(20.0)
    F = BLOCKS[name](layers)
    found = kl.tikhonov_damping(F, LAMS)
    dense = F.to_dense() + shift(layers, LAMS)
    assert type(found) is type(found.inverse()) is kl.BlockDiagonal
    assert found.rows.sizes == F.rows.sizes
    assert found.is_pd is True
    close(found.to_dense(), dense, 1e-13)
    close(found.solve(b), np.linalg.solve(dense, b), 1e-11)
    if name != "exact":
        assert {type(block) for block in found.inverse().buckets} == {kl.Spectral}


@pytest.mark.parametrize("name", BLOCKS)
def test_one_number_is_the_exact_damping(name):
    F = BLOCKS[name](net())
    for lam in (0.1, np.float64(0.1)):
        close(kl.tikhonov_damping(F, lam).to_dense(), F.damped(0.1).to_dense(), 1e-14)


@given(layers=layer_lists(), data=st.data())
def test_full_fisher(layers, data):
    lams = data.draw(st.lists(st.floats(1e-3, 10), min_size=len(layers), max_size=len(layers)))
    F = kl.fisher(layers)
    found, dense = kl.tikhonov_damping(F, lams), F.to_dense() + shift(layers, lams)
    assert found.is_pd is True
    b = np.arange(float(len(dense)))
    tolerance = 1e-14 * np.linalg.cond(dense)
    for x in (found.solve(b), found.inverse() @ b):
        close(x, np.linalg.solve(dense, b), 10 * tolerance)
    assert float(found.logdet()) == pytest.approx(np.linalg.slogdet(dense)[1], abs=1e-9)


def test_full_fisher_keeps_its_structure(monkeypatch):
    """Woodbury with diag(1/λ_l); nothing of size p × p, nor for a tiny λ."""
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 5)
    layers, b = net(), np.arange(20.0)
    found = kl.tikhonov_damping(kl.fisher(layers), LAMS)
    assert [type(term) for term in found.terms] == [kl.LowRank, kl.BlockDiagonal]
    assert [type(term) for term in found.inverse().terms] == [kl.BlockDiagonal, kl.LowRank]
    tiny = kl.tikhonov_damping(kl.fisher(layers), [1e-13 * lam for lam in LAMS])
    inverse = tiny.inverse()
    assert type(inverse) is Product
    assert [type(factor) for factor in inverse.factors] == [kl.BlockDiagonal, kl.Spectral, kl.BlockDiagonal]
    monkeypatch.undo()
    inside = kl.fisher(layers) @ b
    residual = tiny @ tiny.solve(inside) - inside
    assert np.linalg.norm(residual) <= 1e-12 * np.linalg.norm(inside)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-11)])
def test_every_library(lib, dtype, tolerance):
    b, lams = np.arange(12.0), LAMS[:2]
    for make in (kl.fisher, kl.kfac):
        found = kl.tikhonov_damping(make(tiny_layers(lib, dtype)), lams)
        dense = make(tiny_layers(NUMPY)).to_dense() + shift(tiny_layers(NUMPY), lams)
        x = found.solve(lib.asarray(b, dtype))
        assert lib.owns(x)
        assert x.dtype == getattr(lib.xp, dtype)
        close(lib.numpy(x), np.linalg.solve(dense, b), tolerance)


def test_matrices_of_blocks():
    """The structure stays, and multiples and sums are cut as what they are made of."""
    D, U = [positive(n, seed=n) for n in (2, 3)], normal((2, 3)) / 10
    added = np.diag([0.1, 0.1, 0.2, 0.2, 0.2])
    chain = kl.BlockTridiagonal(D, [U])
    whole = kl.BlockMatrix([[D[0], U], [U.T, D[1]]])
    plain = kl.BlockDiagonal(D)
    for F, kept in (
        (chain, kl.BlockTridiagonal),
        (whole, kl.BlockMatrix),
        (Scaled(chain, factor=2.0), Sum),
        (Sum(kl.Dense(np.eye(5)), plain), Sum),
    ):
        found = kl.tikhonov_damping(F, LAMS[:2])
        assert type(found) is kept
        close(found.to_dense(), F.to_dense() + added, 1e-15)


def test_zero_for_one_layer():
    F = kl.BlockDiagonal([positive(2), positive(3)])
    close(kl.tikhonov_damping(F, [0.0, 1.0]).diagonal(), F.diagonal() + np.array([0, 0, 1, 1, 1]), 1e-15)
    low = kl.fisher(net())
    close(kl.tikhonov_damping(low, [0.0, 1.0, 2.0]).to_dense(), low.to_dense() + shift(net(), [0, 1, 2]), 1e-15)


@pytest.mark.parametrize(
    ("F", "lam", "match"),
    [
        (np.eye(2), [1.0, 1.0], r"Dense.*not cut into square blocks.*BlockDiagonal\(\[lam_l \* kronlin\.Identity"),
        (kl.fisher(net()), [1.0], "lam has 1 entries for 3 blocks"),
        (kl.kfac(net()), [1.0], "lam has 1 entries for 3 blocks"),
        (kl.fisher(net()), [1.0, 2.0, -3.0], "not negative, not -3"),
        (kl.fisher(net()), -1.0, "not negative, not -1"),
        (kl.BlockMatrix([[np.ones((1, 2)), np.ones((1, 1))], [np.ones((2, 2)), np.ones((2, 1))]]), [1, 1], "not cut"),
        (kl.LowRank(normal((4, 2))), [1.0, 1.0], "not cut"),
        (np.ones((2, 3)), 1.0, "damped"),
    ],
)
def test_arguments_are_checked(F, lam, match):
    with pytest.raises(ValueError, match=match):
        kl.tikhonov_damping(F, lam)
