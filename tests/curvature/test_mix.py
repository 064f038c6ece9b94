"""Laws of the weighted mean of two operators, factor by factor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Scaled
from kronlin.curvature._mix import equal, mix, require_mixable
from tests.libraries import fast
from tests.matrices import each_dtype, hermitian, normal, positive
from tests.nets import close, random_layers

RHO = st.floats(0, 1)


def psd(n, seed):
    return kl.assume(kl.Dense(positive(n, seed=seed)), "psd")


def layers(seed, S=2, lib=None):
    options = {} if lib is None else {"lib": lib}
    return random_layers(np.random.default_rng(seed), 4, 2, [(2, 3), (3, 2), (2, 3)], S, **options)


@given(RHO, st.integers(0, 99))
def test_where_it_is_the_mean_of_the_operators(rho, seed):
    Q = kl.Kronecker(np.linalg.qr(normal((2, 2)))[0], np.linalg.qr(normal((3, 3)))[0])
    pairs = [
        [kl.Dense(normal((2, 3), seed=seed + i)) for i in range(2)],
        [kl.Diagonal(normal((3,), seed=seed + i)) for i in range(2)],
        [kl.Spectral(Q, normal((6,), seed=seed + i)) for i in range(2)],
        [kl.Spectral(np.eye(3)[:, :2], normal((2,), seed=seed + i), rest=float(i)) for i in range(2)],
        [Scaled(kl.Dense(normal((2, 3), seed=seed + i)), factor=2.0) for i in range(2)],
        [kl.BlockDiagonal([normal((2, 2), seed=seed + i), normal((1, 2), seed=i)]) for i in range(2)],
        [kl.Identity(3, dtype="float64")] * 2,
    ]
    for a, b in pairs:
        found = mix(a, b, rho)
        assert type(found) is type(a)
        close(found.to_dense(), rho * a.to_dense() + (1 - rho) * b.to_dense(), 1e-14)


@given(RHO, st.integers(0, 99))
def test_factors_of_a_kronecker_product(rho, seed):
    a, b = (kl.Kronecker(psd(2, seed + i), psd(3, seed + 9 * i)) for i in range(2))
    found = mix(a, b, rho)
    assert type(found) is kl.Kronecker
    assert found.is_psd is True
    for factor, one, other in zip(found.factors, a.factors, b.factors, strict=True):
        close(factor.to_dense(), rho * one.to_dense() + (1 - rho) * other.to_dense(), 1e-15)


def test_what_is_known_of_both_is_known_of_the_mean():
    pd, semi, unknown = kl.assume(psd(2, 0), "pd"), psd(2, 1), kl.Dense(hermitian(2))
    assert mix(pd, pd, 0.5).is_pd is True
    assert mix(pd, semi, 0.5).is_psd is True
    assert mix(pd, semi, 0.5).is_pd is None
    assert mix(pd, unknown, 0.5).is_psd is None
    # (-1) ⊗ (-3) and 2 ⊗ 1 are positive, and (½ (-1 + 2)) ⊗ (½ (-3 + 1)) is not: no promise of a product is handed on
    a, b = (kl.assume(kl.Kronecker(*(np.array([[x]]) for x in pair)), "pd") for pair in ((-1.0, -3.0), (2.0, 1.0)))
    found = mix(a, b, 0.5)
    assert found.is_psd is None
    assert found.to_dense()[0, 0] < 0


@pytest.mark.parametrize("library", fast(), ids=str)
def test_blocks_are_mixed_by_bucket(library):
    a, b = (kl.kfac(layers(seed, lib=library)) for seed in range(2))
    found = mix(a, b, 0.25)
    assert type(found) is kl.BlockDiagonal
    assert found.members == a.members == ((0, 2), (1,))
    assert all(type(bucket) is kl.Kronecker for bucket in found.buckets)
    for block, one, other in zip(found.blocks, a.blocks, b.blocks, strict=True):
        close(library.numpy(block.to_dense()), library.numpy(mix(one, other, 0.25).to_dense()), 1e-15)


def test_blocks_sorted_in_different_ways():
    """What is known of one block can part it from its equals."""
    blocks = [positive(2, seed=seed) for seed in range(2)]
    a, b = kl.BlockDiagonal(blocks), kl.BlockDiagonal([kl.assume(blocks[1], "psd"), blocks[0]])
    close(mix(a, b, 0.5).to_dense(), (a.to_dense() + b.to_dense()) / 2, 1e-15)


@each_dtype()
def test_every_library(lib, dtype):
    a, b = (
        kl.BlockDiagonal([kl.Kronecker(*(lib.asarray(positive(n, dtype, seed + n)) for n in (2, 3)))])
        for seed in (0, 9)
    )
    found = mix(a, b, 0.25)
    assert found.kind == a.kind
    for factor, one, other in zip(*(x.blocks[0].factors for x in (found, a, b)), strict=True):
        one, other, mean = (lib.numpy(x.to_dense()) for x in (one, other, factor))
        close(mean, 0.25 * one + 0.75 * other, 1e-6 if dtype in ("float32", "complex64") else 1e-15)


def test_bases_that_differ_are_refused():
    a, b = (kl.ekfac(layers(seed)) for seed in range(2))
    same = kl.ekfac(layers(1), basis=a)
    with pytest.raises(ValueError, match=r"different bases.*ekfac\(layers, basis=old\).*rotate\(old, new\).*reset\(\)"):
        mix(a, b, 0.5)
    close(mix(a, same, 0.5).to_dense(), (a.to_dense() + same.to_dense()) / 2, 1e-14)
    turned = kl.rotate(a, b)
    close(mix(turned, b, 0.5).to_dense(), (turned.to_dense() + b.to_dense()) / 2, 1e-14)


def test_sums_are_refused():
    for make in (lambda x: kl.kpsvd(x, rank=2), kl.kfac_corrected):
        a, b = (make(layers(seed)) for seed in range(2))
        with pytest.raises(ValueError, match=r"term by term.*each batch has its own.*no singular pairs of the mean"):
            mix(a, b, 0.5)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (kl.Diagonal(np.ones(2)), kl.Dense(np.eye(2))),
        (kl.Kronecker(np.eye(2), np.eye(3)), kl.Kronecker(np.eye(3), np.eye(2))),
        (kl.Kronecker(np.eye(2), np.eye(3)), kl.Kronecker(np.eye(6))),
        (kl.BlockDiagonal([np.eye(2), np.eye(3)]), kl.BlockDiagonal([np.eye(3), np.eye(2)])),
        (kl.BlockDiagonal([np.ones((1, 2)), np.ones((1, 1))]), kl.BlockDiagonal([np.ones((1, 1)), np.ones((1, 2))])),
        (Scaled(kl.Dense(np.eye(2)), factor=2.0), Scaled(kl.Dense(np.eye(2)), factor=3.0)),
        (kl.LowRank(np.ones((3, 1))), kl.LowRank(np.ones((3, 1)))),
        (kl.BlockDiagonal([kl.Diagonal(np.ones(2))]), kl.BlockDiagonal([np.eye(2)])),
        (kl.Dense._make(np.ones((2, 2, 2))), kl.Dense._make(np.ones((3, 2, 2)))),
        (kl.Diagonal._make(np.ones((2, 2))), kl.Diagonal._make(np.ones((1, 2)))),
    ],
    ids=lambda x: type(x).__name__,
)
def test_different_structures_are_refused(a, b):
    with pytest.raises(ValueError, match=r"cannot average .* factor by factor: both must have one structure"):
        mix(a, b, 0.5)


@pytest.mark.parametrize(
    ("b", "match"),
    [
        (kl.Dense(np.eye(2, dtype="float32")), r"cannot average numpy float64 and numpy float32: .*\.astype"),
        (kl.Dense(np.eye(2) + 0j), "cannot average numpy float64 and numpy complex128"),
        (kl.Dense(np.eye(3)), "their shapes differ"),
    ],
)
def test_kinds_and_shapes(b, match):
    with pytest.raises(ValueError, match=match):
        require_mixable(kl.Dense(np.eye(2)), b)


def test_equal():
    """To the last bit, in structure and options too."""
    q = np.linalg.qr(normal((3, 3)))[0]
    a = kl.Kronecker(q, np.eye(2))
    assert equal(a, a)
    assert equal(a, kl.Kronecker(q.copy(), np.eye(2)))
    others = [kl.Kronecker(q + 1e-15, np.eye(2)), kl.Kronecker(np.eye(2), q), kl.Kronecker(q), kl.Dense(a.to_dense())]
    assert not any(equal(a, other) for other in others)
    assert not equal(kl.Selection([0, 1], 3, like=q), kl.Selection([0, 2], 3, like=q))
    assert not equal(kl.Identity(2, like=q), kl.Identity(3, like=q))
