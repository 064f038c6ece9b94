"""Selection: entries are chosen, sums come back, and what is chosen from a structure keeps it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Adjoint, Identity, Product, rules
from kronlin.arrays import kind
from kronlin.testing import check_operator
from tests.libraries import NUMPY, STRICT_DEVICE
from tests.matrices import each_dtype, normal, positive
from tests.operators.laws import check, close


def matrix(indices, n, dtype="float64"):
    return np.eye(n, dtype=dtype)[list(indices)]


def selection(indices, n, dtype="float64"):
    return kl.Selection(indices, n, dtype=dtype)


@each_dtype()
@pytest.mark.parametrize("indices", [(3, 0), (2, 2, 0, 2), (1, 0, 3, 2, 3, 3)], ids=str)
def test_laws(lib, dtype, indices):
    op = kl.Selection(indices, 4, like=lib.asarray([0.0], dtype))
    check(op, matrix(indices, 4, dtype), lib)


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n - 1), max_size=6))))
def test_laws_for_any_indices(case):
    n, indices = case
    check_operator(selection(indices, n), matrix(indices, n))


@pytest.mark.parametrize("indices", [(1, 2, 0), (1, 0, 2), (0, 1, 2), (0, 0, 1)], ids=str)
def test_a_square_one_knows_what_it_is(indices):
    op, dense = selection(indices, 3), matrix(indices, 3)
    assert op.is_self_adjoint is bool(np.array_equal(dense, dense.T))
    assert op.is_pd is bool(np.array_equal(dense, np.eye(3)))
    check_operator(op, dense)


def test_stacks_inside_a_block_diagonal():
    twice = kl.BlockDiagonal([selection([2, 0], 3), selection([2, 0], 3), selection([1, 1], 3)])
    assert [len(group) for group in twice.members] == [2, 1]
    one = matrix([2, 0], 3)
    dense = np.zeros((6, 9))
    dense[:2, :3], dense[2:4, 3:6], dense[4:, 6:] = one, one, matrix([1, 1], 3)
    check_operator(twice, dense)
    square = kl.BlockDiagonal([selection([1, 2, 0], 3)] * 2)
    check_operator(square, np.kron(np.eye(2), matrix([1, 2, 0], 3)))
    close(rules.columns(square.buckets[0], [0, 2]).to_dense(), np.stack([matrix([1, 2, 0], 3)[:, [0, 2]]] * 2))


def test_products_of_selections_are_selections():
    s, t = selection([2, 0, 2], 3), selection([4, 1, 3], 5)
    both = s @ t
    assert type(both) is kl.Selection
    assert both.indices == (3, 4, 3)
    assert type(selection([1], 3) @ t.H.H) is kl.Selection
    assert type(selection([0, 1], 2) @ selection([0, 1], 2)) is Identity


def test_products_with_adjoints():
    s, wide, repeated = selection([2, 0], 3), selection([1, 0, 2], 3), selection([2, 2], 3)
    assert type(s @ s.H) is Identity
    assert type(s.H @ s) is type(repeated.H @ repeated) is kl.Diagonal
    assert (repeated.H @ repeated).is_psd is True
    part = s @ kl.Selection([2, 1, 0], 3, dtype="float64").H
    close(part.to_dense(), matrix([2, 0], 3) @ matrix([2, 1, 0], 3).T)
    assert type(part) is kl.Selection
    for left, right in ((wide, s), (repeated, repeated), (s, repeated)):
        product = left @ right.H
        close(product.to_dense(), left.to_dense() @ right.to_dense().T)
        assert type(product) in (Product, kl.LowRank)
    close((s.H @ repeated).to_dense(), s.to_dense().T @ repeated.to_dense())


def test_rows_and_columns_of_a_matrix_are_taken():
    a, s = normal((4, 4)), selection([3, 1], 4)
    rows, columns = s @ kl.Dense(a), kl.Dense(a) @ s.H
    assert type(rows) is type(columns) is kl.Dense
    close(rows.to_dense(), a[[3, 1]])
    close(columns.to_dense(), a[:, [3, 1]])
    assert type(selection([0] * 5, 4) @ kl.Dense(a)) is Product
    assert type(kl.Dense(a) @ selection([0] * 5, 4).H) is Product


@pytest.mark.parametrize("promise", ["self-adjoint", "psd", "pd"])
def test_a_submatrix_of_a_matrix_is_as_definite(promise):
    a = positive(4)
    A, s, twice = kl.assume(kl.Dense(a), promise), selection([3, 1], 4), selection([3, 3], 4)
    sub = s @ A @ s.H
    assert type(sub) is kl.Dense
    assert sub.properties == A.properties
    close(sub.to_dense(), a[np.ix_([3, 1], [3, 1])])
    again = twice @ A @ twice.H
    assert (again.is_psd, again.is_pd) == (A.is_psd, None)
    assert (s @ A @ selection([3, 1], 4).H)._promised.psd is None


def test_a_submatrix_of_a_diagonal_is_diagonal():
    d = np.array([1.0, 2.0, 3.0, 4.0])
    s = selection([3, 1], 4)
    sub = s @ kl.Diagonal(d) @ s.H
    assert type(sub) is kl.Diagonal
    close(sub.diagonal(), d[[3, 1]])
    right_first = s @ (kl.Diagonal(d) @ s.H)
    assert type(right_first) is kl.Diagonal
    close(right_first.diagonal(), d[[3, 1]])
    twice = selection([3, 3], 4)
    close((twice @ kl.Diagonal(d) @ twice.H).to_dense(), np.full((2, 2), 4.0))
    assert (twice @ kl.Diagonal(d) @ twice.H).is_psd is True
    assert (s.H @ kl.Diagonal(d[:2]) @ s).is_psd is True


def test_a_submatrix_of_an_operator_stays_lazy_and_as_definite():
    K = kl.Kronecker(*(kl.assume(kl.Dense(positive(2, seed=i)), "pd") for i in range(2)))
    s = selection([3, 1], 4)
    sub = s @ K @ s.H
    assert (type(sub), sub.is_psd) == (Product, True)
    close(sub.to_dense(), K.to_dense()[np.ix_([3, 1], [3, 1])])


def test_pseudo_inverses():
    assert type(selection([2, 0], 3).pinv()) is Adjoint
    assert type(selection([2, 2], 3).pinv()) is Product
    assert selection([1, 0, 2], 3).inverse() is not None


def test_a_choice_that_loses_an_entry_has_no_inverse():
    with pytest.raises(kl.SingularMatrixError, match=r"entry 1 is never chosen.*pinv"):
        selection([0, 0], 2).inverse()
    sign, logarithm = selection([0, 0], 2).slogdet()
    assert (float(sign), float(logarithm)) == (0.0, -np.inf)


def test_columns_are_formed_alone():
    big = selection(range(0, 10**5, 10**4), 10**5)
    np.testing.assert_array_equal(rules.columns(big, [0, 5, 20000]).to_dense(), np.eye(10)[:, [0, 1, 2]] * [1, 0, 1])


def test_a_large_one_is_cheap():
    n = 10**5
    indices = np.arange(n)[::-2]
    s = kl.Selection(indices, n, dtype="float32")
    x = normal((n, 2), "float32")
    np.testing.assert_array_equal(s @ x, x[indices])
    back = s.H @ x[indices]
    np.testing.assert_array_equal(back[indices], x[indices])
    assert not back[::2].any()
    assert s.nbytes == 0


def test_the_kind_comes_from_like_dtype_or_the_index_array():
    on_device = STRICT_DEVICE.asarray([1, 0])
    for made in (
        kl.Selection([1, 0], 2, like=STRICT_DEVICE.asarray([0.0], "float32")),
        kl.Selection(on_device, 2, dtype="float32"),
        kl.Selection(NUMPY.asarray([1, 0]), 2, like=STRICT_DEVICE.asarray([0.0], "float32")),
    ):
        assert made.kind == kind(STRICT_DEVICE.asarray([0.0], "float32"))
        assert made.indices == (1, 0)
    moved = kl.Selection([1, 0], 3, dtype="float64").to(STRICT_DEVICE.asarray([0.0])).astype("complex64")
    assert moved.kind == kind(STRICT_DEVICE.asarray([0.0], "complex64"))
    check_operator(moved, matrix([1, 0], 3))
    assert moved.indices == (1, 0)


@pytest.mark.parametrize(
    ("indices", "n", "error", "message"),
    [
        ([0, 3], 3, ValueError, r"indices\[1\] is 3, where 0 to 2 can be chosen"),
        ([-1], 3, ValueError, r"indices\[0\] is -1"),
        ([], -1, ValueError, "must not be negative"),
        ([0.5], 3, TypeError, "integer"),
        ([True, False], 2, TypeError, "places where it is True"),
        (np.array([True, False]), 2, TypeError, r"not bool of shape \(2,\): for a mask pass the places"),
        (np.zeros((1, 1), int), 2, TypeError, r"integers \(k,\), not int64 of shape \(1, 1\)"),
    ],
)
def test_bad_input(indices, n, error, message):
    with pytest.raises(error, match=message):
        kl.Selection(indices, n, dtype="float64")


def test_a_kind_is_asked_for():
    with pytest.raises(TypeError, match="Selection needs like="):
        kl.Selection(np.array([0]), 2)
