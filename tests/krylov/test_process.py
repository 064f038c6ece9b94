"""The Lanczos process keeps its basis orthonormal and its matrix tridiagonal."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.arrays import kind
from kronlin.krylov.process import Basis, Process, random_start, ritz, ritz_values
from tests.krylov.systems import with_spectrum


def test_basis_keeps_order_in_few_blocks():
    basis = Basis()
    rows = np.arange(37.0)[:, None] * np.ones((1, 3))
    for row in rows:
        basis.append(row[None, :])
    np.testing.assert_array_equal(basis.rows(30), rows[:30])
    assert [block.shape[0] for block in basis.blocks] == [32, 4, 1]


def test_a_stack_of_bases_grows_together():
    stack, single = Basis(), Basis()
    random = np.random.default_rng(0)
    for _ in range(5):
        rows = random.standard_normal((2, 1, 3))
        stack.append(rows)
        single.append(rows[1])
    assert stack.rows(5).shape == (2, 5, 3)
    np.testing.assert_array_equal(stack.rows(5)[1], single.rows(5))


@pytest.mark.parametrize("preconditioned", [False, True])
@pytest.mark.parametrize("is_complex", [False, True])
def test_relations(preconditioned, is_complex):
    A = with_spectrum(np.logspace(-6, 3, 60), is_complex=is_complex)
    M = with_spectrum(np.logspace(-1, 1, 60), seed=9, is_complex=is_complex) if preconditioned else None
    own = kind(A)
    process = Process(kl.Dense(A), None if M is None else kl.Dense(M), random_start(own, 60, 0), own)
    process.extend(40)
    alpha, side, exhausted = process.coefficients()
    assert (len(alpha), len(side), exhausted) == (40, 40, False)
    U = process.basis(40)
    Q = U if M is None else process.q.rows(40).T
    np.testing.assert_allclose(U.conj().T @ Q, np.eye(40), atol=1e-12)
    T = np.diag(alpha) + np.diag(side[:-1], 1) + np.diag(side[:-1], -1)
    np.testing.assert_allclose(U.conj().T @ A @ U, T, atol=1e-10 * np.abs(T).max())
    values, bounds = ritz(alpha, side)
    np.testing.assert_allclose(values, ritz_values(alpha, side))
    exact = np.linalg.eigvals((np.eye(60) if M is None else M) @ A).real
    nearest = np.abs(values[:, None] - exact).min(axis=1)
    assert (nearest <= bounds + 1e-10 * exact.max()).all()


@pytest.mark.parametrize("preconditioned", [False, True])
def test_stays_orthogonal_to_another_process(preconditioned):
    A = kl.Dense(with_spectrum(np.linspace(-1, 3, 30)))
    M = kl.Dense(with_spectrum(np.logspace(-1, 1, 30), seed=9)) if preconditioned else None
    first = Process(A, M, random_start(A.kind, 30, 0), A.kind)
    first.extend(6)
    second = Process(A, M, random_start(A.kind, 30, 1), A.kind, first.rows(6))
    second.extend(24)
    u, q = (np.concatenate(pair) for pair in zip(first.rows(6), second.rows(24), strict=True))
    np.testing.assert_allclose(u @ q.T, np.eye(30), atol=1e-11)
    assert second.coefficients()[2], "6 and 24 vectors are a basis"


def test_start_is_the_same_everywhere(lib):
    own = kind(lib.asarray(np.zeros(1)))
    start = random_start(own, 5, 3)
    assert lib.owns(start)
    np.testing.assert_array_equal(lib.numpy(start), random_start(kind(np.zeros(1)), 5, 3))
    assert not np.array_equal(lib.numpy(start), lib.numpy(random_start(own, 5, 4)))
