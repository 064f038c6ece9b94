"""The inner product tr(Aᴴ B): what each pair of structures gives, and the norm of a sum made of it."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import rules
from kronlin.operators import fallback, lowrank
from tests.algebra.bare import bare
from tests.matrices import each_dtype, eps, normal, wide
from tests.operators.laws import close


def _pairs(lib, dtype):
    def a(*shape, seed=0):
        return lib.asarray(normal(shape, dtype, seed))

    square = a(6, 6)
    identity, diagonal = kl.Identity(6, like=square), kl.Diagonal(a(6, seed=1))
    kronecker, other = kl.Kronecker(a(2, 2), a(3, 3)), kl.Kronecker(a(2, 2, seed=2), a(3, 3, seed=3))
    rank, more = kl.LowRank(a(6, 2)), kl.LowRank(a(6, 2, seed=4), a(2, 2), a(6, 2, seed=5))
    blocks, others = kl.BlockDiagonal([a(2, 2), a(2, 2, seed=1), a(2, 2)]), kl.BlockDiagonal([diagonal._make(a(2))] * 3)
    dense = kl.Dense(square)
    basis = kl.Spectral(lib.asarray(np.linalg.qr(normal((6, 6), dtype))[0]), lib.asarray(normal(6, dtype).real))
    stacks = kl.VStack([a(2, 2), a(2, 2, seed=6), a(2, 2, seed=7)]), kl.VStack([a(2, 2, seed=i) for i in (8, 9, 10)])
    stacked = kl.LowRank(stacks[0], a(2, 2, seed=11), stacks[1])
    return [
        (identity, kronecker),
        (rank, identity),
        (dense, kl.Dense(a(6, 6, seed=6))),
        (diagonal, dense),
        (kronecker, diagonal),
        (kronecker, other),
        (2 * kronecker, other / 3),
        (rank, more),
        (more, dense),
        (kronecker, more),
        (blocks, others),
        (kronecker + other, rank + more),
        (diagonal - kronecker, rank),
        (basis, more),
        (basis.damped(1.0), rank),
        (blocks, stacked),
        (kl.BlockDiagonal([a(3, 3), a(3, 3)]), stacked),
    ]


@each_dtype()
def test_pairs(lib, dtype):
    for a, b in _pairs(lib, dtype):
        left, right = (wide(lib.numpy(op.to_dense())) for op in (a, b))
        for value, expected in ((rules.inner(a, b), np.vdot(left, right)), (rules.inner(b, a), np.vdot(right, left))):
            size = np.linalg.norm(left) * np.linalg.norm(right)
            assert abs(complex(value) - expected) <= 100 * eps(dtype) * size, (a, b)


def test_blocks_meet_only_the_blocks_of_a_low_rank_matrix(monkeypatch):
    U = kl.VStack([normal((2, 2)), normal((3, 2), seed=1)])
    blocks = kl.BlockDiagonal([kl.Kronecker(normal((2, 2), seed=2)), kl.Kronecker(normal((3, 3), seed=3))])
    expected = np.vdot(blocks.to_dense(), kl.LowRank(U).to_dense())
    seen, real = [], rules.gram
    monkeypatch.setattr(lowrank.rules, "gram", lambda a, b: seen.append(a.shape) or real(a, b))
    close(rules.inner(blocks, kl.LowRank(U)), expected)
    assert set(seen) == {(2, 2), (3, 2)}  # never (5, 2)


def test_a_small_matrix_of_many_columns_is_formed(monkeypatch):
    """Uᴴ B U would have a row for each column of U."""
    U, B = normal((4, 30)), kl.Kronecker(normal((2, 2), seed=1), normal((2, 2), seed=2))
    few = kl.LowRank(normal((4, 2), seed=3))
    monkeypatch.setattr(
        lowrank.rules, "gram", lambda a, b: pytest.fail(f"{a!r} met {b!r}") if 30 in a.shape else a.H @ b.to_dense()
    )
    for other in (B, few):
        close(rules.inner(kl.LowRank(U), other), np.vdot(U @ U.T, other.to_dense()))
        close(rules.inner(other, kl.LowRank(U)), np.vdot(U @ U.T, other.to_dense()))


def test_the_general_pair_is_dense_and_small(monkeypatch):
    (a, left), (b, right) = bare((3, 2)), bare((3, 2), seed=1)
    close(rules.inner(a, b), np.vdot(left, right))
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 2)
    with pytest.raises(ValueError, match="the inner product of Bare"):
        rules.inner(a, b)


@each_dtype()
def test_the_norm_of_a_sum_needs_no_dense_matrix(lib, dtype, monkeypatch):
    sums = [a + b for a, b in _pairs(lib, dtype)] + [a - b for a, b in _pairs(lib, dtype)]
    exact = [np.linalg.norm(wide(lib.numpy(op.to_dense()))) for op in sums]
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 1)
    for op, expected in zip(sums, exact, strict=True):
        assert abs(float(op.norm()) - expected) <= 1e4 * eps(dtype) * expected, op


def test_norms_of_extreme_size():
    one, two = (kl.Kronecker(1e100 * normal((2, 2), seed=i), 1e60 * normal((2, 2), seed=i + 5)) for i in (1, 2))
    close(float((one + two).norm()) / 1e160, np.linalg.norm((one + two).to_dense() / 1e160))


def test_where_digits_cancel_the_matrix_is_formed():
    one = kl.Kronecker(normal((2, 2)), normal((3, 3)))
    two = kl.Kronecker(normal((2, 2)), normal((3, 3)) * (1 + 1e-9))
    assert float((one - two).norm()) == pytest.approx(np.linalg.norm((one - two).to_dense()), rel=1e-12)
