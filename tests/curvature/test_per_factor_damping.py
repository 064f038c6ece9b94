"""Laws of per-factor damping: what it adds, and what it is not invariant to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Scaled, Sum
from kronlin.operators import Congruence
from tests.matrices import each_dtype, eps, normal, positive, wide
from tests.nets import close, random_layers


def psd(*sizes, seed=0):
    """Singular psd factors."""
    parts = [normal((n, max(1, n - 1)), seed=seed + i) for i, n in enumerate(sizes)]
    return [kl.assume(kl.Dense(x @ x.T), "psd") for x in parts]


@given(sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)), lam=st.floats(1e-3, 10), seed=st.integers(0, 99))
def test_is_the_exact_matrix_and_three_more_terms(sizes, lam, seed):
    """F + λ (G ⊗ I + I ⊗ A) + λ² I."""
    G, A = psd(*sizes, seed=seed)
    g, a, (m, n) = G.to_dense(), A.to_dense(), sizes
    found = kl.per_factor_damping(kl.Kronecker(G, A), lam)
    crossed = np.kron(g, np.eye(n)) + np.kron(np.eye(m), a)
    close(found.to_dense(), np.kron(g, a) + lam * crossed + lam**2 * np.eye(m * n), 1e-13)
    assert type(found) is type(found.inverse()) is kl.Kronecker
    assert found.is_pd is True


@given(sizes=st.lists(st.integers(1, 3), min_size=1, max_size=4), lam=st.floats(0, 10), seed=st.integers(0, 99))
def test_any_number_of_factors(sizes, lam, seed):
    factors = psd(*sizes, seed=seed)
    wanted = np.eye(1)
    for factor in factors:
        wanted = np.kron(wanted, factor.to_dense() + lam * np.eye(len(factor.to_dense())))
    close(kl.per_factor_damping(kl.Kronecker(*factors), lam).to_dense(), wanted, 1e-13)


def test_a_direction_outside_of_both_factors_is_damped_by_the_square():
    K = kl.Kronecker(np.diag([1.0, 0.0]), np.diag([2.0, 0.0]))
    np.testing.assert_allclose(kl.per_factor_damping(K, 0.1).diagonal(), [1.1 * 2.1, 0.11, 0.21, 0.01])


def test_depends_on_the_factors():
    """Unlike factored damping with a balance."""
    G, A = psd(2, 3)
    one, two = (kl.per_factor_damping(kl.Kronecker(c * G, A / c), 1.0).to_dense() for c in (1, 4))
    assert np.linalg.norm(one - two) > 0.1 * np.linalg.norm(one)


def test_block_by_block():
    K = kl.kfac(random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)], 2))
    for lam, each in ((0.1, [0.1] * 3), ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])):
        found = kl.per_factor_damping(K, lam)
        assert type(found) is kl.BlockDiagonal
        assert found.members == K.members
        assert found.inverse().is_pd is True
        for block, one, number in zip(found.blocks, K.blocks, each, strict=True):
            g, a = (factor.to_dense() for factor in one.factors)
            close(block.to_dense(), np.kron(g + number * np.eye(len(g)), a + number * np.eye(len(a))), 1e-14)


def test_multiples():
    K = kl.Kronecker(*psd(2, 3))
    close(
        kl.per_factor_damping(Scaled(K, factor=3.0), 0.1).to_dense(),
        3 * kl.per_factor_damping(K, 0.1).to_dense(),
        1e-15,
    )


def test_both_terms_of_a_sum_of_psd_products_are_damped(monkeypatch):
    """Interior and boundary of a differential equation: the closed inverse of two terms remains."""
    one, two, indefinite = kl.Kronecker(*psd(2, 3)), kl.Kronecker(*psd(2, 3, seed=7)), normal((6, 6))
    found = kl.per_factor_damping(one + two, 0.1)
    assert type(found) is Sum
    wanted = sum(kl.per_factor_damping(K, 0.1).to_dense() for K in (one, two))
    close(found.to_dense(), wanted, 1e-15)
    assert found.is_pd is True
    assert type(found.inverse()) is Congruence
    close(found.solve(np.arange(6.0)), np.linalg.solve(wanted, np.arange(6.0)), 1e-12)
    mixed = kl.per_factor_damping(Sum(kl.Dense(indefinite), two), 0.1)
    close(mixed.to_dense(), indefinite + kl.per_factor_damping(two, 0.1).to_dense(), 1e-15)


@each_dtype()
def test_every_library(lib, dtype):
    factors = [positive(n, dtype, n) for n in (2, 3)]
    found = kl.per_factor_damping(kl.Kronecker(*(kl.assume(lib.asarray(x), "psd") for x in factors)), 0.1)
    g, a = map(wide, factors)
    b = normal((6,), dtype)
    y = found.solve(lib.asarray(b))
    assert lib.owns(y)
    assert y.dtype == getattr(lib.xp, dtype)
    dense = np.kron(g + 0.1 * np.eye(2), a + 0.1 * np.eye(3))
    close(lib.numpy(y), np.linalg.solve(dense, wide(b)), 1e3 * eps(dtype))


@pytest.mark.parametrize(
    ("F", "lam", "match"),
    [
        (np.eye(2), 1.0, r"Dense.* no Kronecker product.*F\.damped\(lam\)"),
        (-kl.Kronecker(np.eye(2), np.eye(2)), 1.0, "no Kronecker product"),
        (kl.Kronecker(np.ones((1, 2)), np.ones((2, 1))), 1.0, "a factor that is not square"),
        (kl.Kronecker(np.eye(2), np.eye(2)), -1.0, "not negative, not -1"),
        (kl.BlockDiagonal([kl.Kronecker(np.eye(2), np.eye(2))]), [1.0, 2.0], "2 entries for 1 blocks"),
        (Sum(kl.Dense(np.eye(2)), kl.Dense(np.eye(2))), 1.0, "nor a sum in which one is known to be psd"),
    ],
)
def test_arguments_are_checked(F, lam, match):
    with pytest.raises(ValueError, match=match):
        kl.per_factor_damping(F, lam)
