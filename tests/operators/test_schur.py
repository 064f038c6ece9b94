"""Inverses of 2×2 block matrices by the Schur complement."""

import numpy as np
import pytest

import kronlin as kl
import kronlin.operators.schur as module
from kronlin.algebra import Product
from kronlin.testing import check_operator
from tests.matrices import each_dtype, normal, positive
from tests.operators.laws import check, close


def bordered(n, m, dtype="float64"):
    """[[diag(d), B], [Bᴴ, C]], self-adjoint, and its matrix."""
    d, b, c = np.arange(2.0, 2.0 + n).astype(dtype), normal((n, m), dtype), 30 * n * positive(m, dtype)
    B = kl.Dense(b)
    return kl.BlockMatrix([[kl.Diagonal(d), B], [B.H, c]]), np.block([[np.diag(d), b], [b.conj().T, c]])


@each_dtype(("float64", "complex64"))
def test_laws_of_the_inverse(lib, dtype):
    d, b, c, f = np.array([2, 3, -4], dtype), normal((3, 2), dtype), normal((2, 3), dtype, 1), positive(2, dtype)
    op = kl.BlockMatrix([[kl.Diagonal(lib.asarray(d)), lib.asarray(b)], [lib.asarray(c), lib.asarray(f)]])
    dense = np.block([[np.diag(d), b], [c, f]])
    inverse = op.inverse()
    assert type(inverse) is Product
    check(inverse, np.linalg.inv(dense).astype(dtype), lib)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("promise", ["self-adjoint", "pd"])
def test_a_self_adjoint_one_is_inverted_by_a_congruence(dtype, promise):
    op, dense = bordered(4, 2, dtype)
    op = kl.assume(op, promise)
    inverse = op.inverse()
    assert type(inverse) is Product
    assert (inverse.is_self_adjoint, inverse.is_pd) == (True, True if promise == "pd" else None)
    check_operator(op, dense)
    check_operator(inverse, np.linalg.inv(dense))


def test_a_dense_first_block_is_eliminated_only_where_no_pivoting_is_needed():
    a, b = positive(3), 0.1 * normal((3, 2))
    dense = np.block([[a, b], [b.T, np.eye(2)]])
    blocks = [[a, b], [b.T, np.eye(2)]]
    assert type(kl.BlockMatrix(blocks).inverse()) is kl.Dense
    assert type(kl.assume(kl.BlockMatrix(blocks), "pd").inverse()) is Product
    check_operator(kl.assume(kl.BlockMatrix(blocks), "pd"), dense)


def test_a_singular_first_block_is_left_to_the_dense_method():
    op = kl.BlockMatrix([[kl.Diagonal(np.array([0.0, 1.0])), np.eye(2)], [np.eye(2), None]])
    assert type(op.inverse()) is kl.Dense
    check_operator(op, np.block([[np.diag([0.0, 1.0]), np.eye(2)], [np.eye(2), np.zeros((2, 2))]]))


def test_a_singular_complement_is_named():
    op = kl.BlockMatrix([[kl.Identity(2, dtype="float64"), np.eye(2)], [np.eye(2), np.eye(2)]])
    with pytest.raises(kl.SingularMatrixError, match="diagonal block 1 cannot be eliminated"):
        op.inverse()
    assert float(op.slogdet()[0]) == 0


def test_it_is_done_once(monkeypatch):
    calls, real = [], module.eliminate
    monkeypatch.setattr(module, "eliminate", lambda a: calls.append(1) or real(a))
    op, dense = bordered(4, 2)
    for _ in range(2):
        op.solve(np.ones(6))
        op.slogdet()
    assert calls == [1]
    close(op.logdet(), np.linalg.slogdet(dense)[1])


def test_a_large_arrow_is_solved_without_forming_it():
    n = 10**5
    B = kl.Dense(normal((n, 2)))
    op = kl.assume(kl.BlockMatrix([[kl.Diagonal(np.full(n, 4.0)), B], [B.H, n * np.eye(2)]]), "pd")
    x = normal((n + 2, 2), seed=4)
    np.testing.assert_allclose(op.solve(op @ x), x, atol=1e-10)


@pytest.mark.parametrize("small", [1e-6, 1e-12])
def test_a_tiny_first_block_is_not_eliminated_where_that_costs_digits(small):
    """Without interchanges a pivot of 1e-12 leaves four digits; the dense method leaves all of them."""
    first = kl.Kronecker(np.full((1, 1), small), np.eye(2))
    op = kl.BlockMatrix([[first, np.eye(2)], [np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]])]])
    x = normal((4, 2))
    np.testing.assert_allclose(op.solve(op @ x), x, atol=1e-9 if small == 1e-6 else 1e-13)
    assert type(op.inverse()) is (Product if small == 1e-6 else kl.Dense)
