"""Block LU: inverses and determinants of block tridiagonal operators."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
import kronlin.operators.blocklu as module
from kronlin.algebra import Product
from kronlin.testing import check_operator
from tests.matrices import each_dtype, normal, positive
from tests.operators.laws import check, close
from tests.operators.test_blocktridiagonal import bands, matrix, on


@each_dtype(("float64", "complex64", "complex128"))
@pytest.mark.parametrize("form", ["adjoint", "both"])
def test_laws_of_the_inverse(lib, dtype, form):
    arguments = bands([2, 1, 2], form, dtype)
    inverse = kl.BlockTridiagonal(*(on(lib, band) for band in arguments)).inverse()
    assert type(inverse) is Product
    check(inverse, np.linalg.inv(matrix(*arguments)).astype(dtype), lib)


@given(st.lists(st.integers(1, 3), min_size=2, max_size=5), st.sampled_from(["adjoint", "both"]), st.integers(0, 99))
def test_laws_for_any_partition(sizes, form, seed):
    arguments = bands(sizes, form, seed=seed)
    op, dense = kl.BlockTridiagonal(*arguments), matrix(*arguments)
    check_operator(op.inverse(), np.linalg.inv(dense))
    assert op.inverse().inverse() is op


@pytest.mark.parametrize("promise", ["self-adjoint", "pd"])
def test_a_self_adjoint_one_is_inverted_by_a_congruence(promise):
    arguments = bands([2, 3, 1], "adjoint")
    op = kl.assume(kl.BlockTridiagonal(*arguments), promise)
    inverse = op.inverse()
    outer, middle, turned = inverse.factors
    assert turned is outer.H
    assert type(middle) is kl.BlockDiagonal
    assert (inverse.is_self_adjoint, inverse.is_pd) == (True, True if promise == "pd" else None)
    assert all(pivot.is_pd is (True if promise == "pd" else None) for pivot in module._kept_factors(op).pivots)
    check_operator(op, matrix(*arguments))


def test_factors_are_kept(monkeypatch):
    calls, real = [], module.factor
    monkeypatch.setattr(module, "factor", lambda a: calls.append(1) or real(a))
    arguments = bands([2, 3, 1], "both")
    op = kl.BlockTridiagonal(*arguments)
    for _ in range(2):
        op.solve(np.ones(6))
        op.slogdet()
    assert calls == [1]
    close(op.slogdet()[1], np.linalg.slogdet(matrix(*arguments))[1])


def test_dense_pivots_are_dense_and_diagonal_ones_diagonal():
    factors = module.factor(kl.BlockTridiagonal(*bands([2, 2, 2], "both")))
    assert [type(pivot) for pivot in factors.pivots] == [kl.Dense] * 3
    d = kl.Diagonal(np.array([3.0, 4.0]))
    op = kl.BlockTridiagonal([d, d, d], [kl.Diagonal(np.ones(2))] * 2)
    assert [type(pivot) for pivot in module.factor(op).pivots] == [kl.Diagonal] * 3
    check_operator(op, np.kron(np.eye(3), np.diag([3.0, 4.0])) + np.kron(np.eye(3, k=1) + np.eye(3, k=-1), np.eye(2)))


def test_kronecker_blocks_are_eliminated_as_operators():
    pd = [kl.Kronecker(positive(2, seed=i), positive(2, seed=i + 9)) for i in range(2)]
    couple = 0.1 * kl.Kronecker(np.eye(2), positive(2, seed=5))
    op = kl.BlockTridiagonal(pd, [couple])
    rights = module.factor(op).right.upper_blocks[0]
    assert type(rights.base) is kl.Kronecker
    check_operator(op, np.block([[pd[0].to_dense(), couple.to_dense()], [couple.to_dense().T, pd[1].to_dense()]]))


def with_singular_pivot(place):
    diagonal = [2.0, 2.5, 2.4]  # the pivots are 2, 2, 1.9 with couplings of 1
    diagonal[place] -= [2.0, 2.0, 1.9][place]
    return kl.BlockTridiagonal([np.full((1, 1), d) for d in diagonal], [np.eye(1)] * 2)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_singular_pivot_is_named(place, monkeypatch):
    monkeypatch.setattr(module, "DENSE_LIMIT", 2)
    with pytest.raises(kl.SingularMatrixError, match=f"diagonal block {place} cannot be eliminated") as caught:
        with_singular_pivot(place).inverse()
    assert ("only a dense method finds it" in str(caught.value)) is (place < 2)


@pytest.mark.parametrize("place", [0, 1])
def test_a_small_regular_one_with_a_singular_pivot_is_left_to_the_dense_method(place):
    op = with_singular_pivot(place)
    assert type(op.inverse()) is kl.Dense
    check_operator(op, op.to_dense())


def test_a_long_chain_is_solved_without_forming_it():
    count, n = 1000, 4
    op = kl.assume(kl.BlockTridiagonal([3 * np.eye(n)] * count, [np.eye(n)] * (count - 1)), "pd")
    x = np.random.default_rng(0).standard_normal((count * n, 2))
    np.testing.assert_allclose(op.solve(op @ x), x, atol=1e-10)
    roots = 3 + 2 * np.cos(np.pi * np.arange(1, count + 1) / (count + 1))
    np.testing.assert_allclose(op.logdet(), n * np.sum(np.log(roots)), rtol=1e-10)


def test_a_tiny_pivot_is_not_eliminated_where_that_costs_digits():
    op = kl.BlockTridiagonal([np.full((1, 1), 1e-12), np.ones((1, 1))], [np.ones((1, 1))])
    np.testing.assert_allclose(op.solve(np.array([1.0, 2.0])), np.linalg.solve(op.to_dense(), [1.0, 2.0]), rtol=1e-13)
    assert type(op.inverse()) is kl.Dense


def test_a_solution_is_refined():
    """Blocks of very different size: elimination alone loses six digits here."""
    op = kl.BlockTridiagonal([1e-6 * positive(2, seed=7), positive(2)], [normal((2, 2), seed=3)])
    x = normal((4, 3), seed=4)
    got = op.solve(op @ x)
    np.testing.assert_allclose(op @ got, op @ x, atol=1e-13 * abs(op @ x).max())
