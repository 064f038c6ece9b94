"""A product with a structured operator never makes its matrix: memory is counted, and `to_dense` is out of bounds."""

import tracemalloc

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import rules
from kronlin.algebra.dispatch import Rule
from tests.matrices import normal, positive

SIDE = 40
N = SIDE**2
WHOLE = N * N * 8
"""Bytes of the matrix: 20 MB. A product may use an eighth of it, all intermediate results counted."""


def kronecker():
    return kl.Kronecker(positive(SIDE), positive(SIDE, seed=1))


def definite_kronecker():
    return kl.Kronecker(*(kl.assume(kl.Dense(positive(SIDE, seed=seed)), "pd") for seed in (0, 1)))


def rectangular_kronecker():
    return kl.Kronecker(normal((SIDE, SIDE // 2)), normal((SIDE, 2 * SIDE)))


def three_factors():
    return kl.Kronecker(normal((10, 10)), normal((16, 16)), normal((10, 10)))


def block_diagonal():
    return kl.BlockDiagonal([positive(SIDE, seed=seed) for seed in range(SIDE)])


def uneven_blocks():
    half = [positive(SIDE // 2, seed=seed) for seed in range(SIDE)]
    return kl.BlockDiagonal([*half, kl.Kronecker(positive(SIDE // 2), positive(SIDE))])


def low_rank():
    return kl.LowRank(normal((N, 10)))


def low_rank_of_khatri_rao():
    return kl.LowRank(kl.KhatriRao(normal((SIDE, 20)), normal((SIDE, 20), seed=1)))


def fisher():
    root = kl.FisherRoot(normal((20, SIDE)), normal((20, SIDE), seed=1))
    return root @ root.H


def two_layers():
    return kl.fisher([kl.LayerStatistics(normal((10, SIDE)), normal((10, SIDE // 2), seed=seed)) for seed in range(2)])


def khatri_rao():
    return kl.KhatriRao(normal((SIDE, N)), normal((SIDE, N), seed=1))


def spectral():
    return kronecker().damped(1.0)


def spectral_with_a_complement():
    return kl.Spectral(np.linalg.qr(normal((N, 10)))[0], np.arange(1.0, 11.0), rest=0.5)


def hstack():
    return kl.HStack([rectangular_kronecker(), rectangular_kronecker()])


def vstack():
    return kl.VStack([kronecker(), low_rank(), block_diagonal()])


def kronecker_sum():
    return kl.KroneckerSum(positive(SIDE), positive(SIDE, seed=1))


def block_matrix():
    return kl.BlockMatrix([[kronecker(), low_rank()], [low_rank().H, block_diagonal()]])


def block_tridiagonal():
    diagonal = [positive(SIDE, seed=seed) for seed in range(SIDE)]
    return kl.BlockTridiagonal(diagonal, [0.01 * normal((SIDE, SIDE), seed=seed) for seed in range(SIDE - 1)])


def permutation():
    return kl.Permutation(list(range(N))[::-1], like=np.zeros(0))


def selection():
    return kl.Selection(list(range(0, N, 2)), N, like=np.zeros(0))


def total():
    return kronecker() + 2 * low_rank() - block_diagonal()


def product():
    return kronecker() @ low_rank() @ (3 * block_diagonal())


def definite_total():
    return definite_kronecker().damped(0.1) + low_rank()


STRUCTURES = [
    kronecker,
    definite_kronecker,
    rectangular_kronecker,
    three_factors,
    block_diagonal,
    uneven_blocks,
    low_rank,
    low_rank_of_khatri_rao,
    fisher,
    two_layers,
    khatri_rao,
    spectral,
    spectral_with_a_complement,
    hstack,
    vstack,
    kronecker_sum,
    block_matrix,
    block_tridiagonal,
    permutation,
    selection,
    total,
    product,
    definite_total,
]
INVERTIBLE = [
    kronecker,
    definite_kronecker,
    three_factors,
    block_diagonal,
    uneven_blocks,
    spectral,
    spectral_with_a_complement,
    definite_total,
    kronecker_sum,
    permutation,
]
DAMPED = [
    *(make for make in INVERTIBLE if make not in (three_factors, permutation)),
    low_rank,
    low_rank_of_khatri_rao,
    fisher,
    two_layers,
]


def name(make):
    return make.__name__


@pytest.fixture
def no_dense(monkeypatch):
    """Inside a product nothing is made dense."""
    call = Rule.__call__

    def watched(self, *arguments):
        assert self is not rules.to_dense, f"to_dense of {arguments[0]!r}"
        return call(self, *arguments)

    def forbid():
        monkeypatch.setattr(Rule, "__call__", watched)

    return forbid


def peak(action) -> int:
    """Bytes in use at the worst moment, beyond those before."""
    tracemalloc.start()
    try:
        kept = action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        del kept


def check_product(op, forbid):
    x = normal((op.shape[1], 2))
    assert peak(lambda: op @ x) < WHOLE / 8  # with what is kept from the first product on
    forbid()
    assert peak(lambda: op @ x) < WHOLE / 8
    assert peak(lambda: op @ x[:, 0]) < WHOLE / 8


@pytest.mark.parametrize("make", STRUCTURES, ids=name)
def test_products(make, no_dense):
    check_product(make(), no_dense)


@pytest.mark.parametrize("make", STRUCTURES, ids=name)
def test_products_with_the_adjoint(make, no_dense):
    check_product(make().H, no_dense)


@pytest.mark.parametrize("make", INVERTIBLE, ids=name)
def test_products_with_the_inverse(make, no_dense):
    op, made = make(), []
    assert peak(lambda: made.append(op.inverse())) < WHOLE / 8
    check_product(made[0], no_dense)


@pytest.mark.parametrize("make", DAMPED, ids=name)
def test_products_and_solutions_of_the_damped_operator(make, no_dense):
    op, made = make(), []
    assert peak(lambda: made.append(op.damped(0.5))) < WHOLE / 8
    assert peak(lambda: made[0].solve(normal((N, 1)))) < WHOLE / 8
    check_product(made[0], no_dense)


def test_the_count_sees_a_dense_matrix(no_dense):
    op = kronecker()
    assert peak(op.to_dense) >= WHOLE
    no_dense()
    with pytest.raises(AssertionError, match="to_dense of Kronecker"):
        op.to_dense()
