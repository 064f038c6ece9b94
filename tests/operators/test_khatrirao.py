"""KhatriRao: columns that are Kronecker products."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import rules
from tests.algebra.bare import Bare
from tests.matrices import each_dtype, each_stack, eps, normal
from tests.operators.laws import check, close


def dense(left, right):
    """Column j is kron(l_j, r_j)."""
    return np.stack([np.kron(x, y) for x, y in zip(left.T, right.T, strict=True)], axis=1)


@each_dtype()
@pytest.mark.parametrize("sizes", [(3, 2, 4), (1, 3, 2), (2, 2, 1), (2, 3, 6)])
def test_laws(lib, dtype, sizes):
    m, n, c = sizes
    left, right = normal((m, c), dtype), normal((n, c), dtype, seed=1)
    check(kl.KhatriRao(lib.asarray(left), lib.asarray(right)), dense(left, right), lib)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_grams_and_products(dtype):
    a, b = (normal((3, 4), dtype, s) for s in (0, 1)), (normal((3, 2), dtype, s) for s in (2, 3))
    one, two = kl.KhatriRao(*a), kl.KhatriRao(*b)
    close(rules.gram(one, two), one.to_dense().conj().T @ two.to_dense())
    kron = kl.Kronecker(normal((3, 2), dtype, 4), normal((3, 2), dtype, 5))
    close(rules.gram(one, kron), one.to_dense().conj().T @ kron.to_dense())
    square = kl.Kronecker(normal((2, 3), dtype, 6), normal((4, 3), dtype, 7))
    moved = square @ one
    assert type(moved) is kl.KhatriRao
    close(moved.to_dense(), square.to_dense() @ one.to_dense())


def test_a_tall_gram_is_formed_and_a_wide_one_stays_lazy():
    tall = kl.KhatriRao(normal((5, 3)), normal((4, 3)))
    assert type(tall.H @ tall) is kl.Dense
    assert (tall.H @ tall).is_psd is True
    wide = kl.KhatriRao(normal((2, 9)), normal((2, 9)))
    assert type(wide.H @ wide) is not kl.Dense


def test_chosen_columns_of_a_kronecker_product_are_a_khatri_rao_product():
    kron = kl.Kronecker(normal((3, 3)), normal((4, 4), seed=1))
    chosen = rules.columns(kron, [5, 0, 11])
    assert type(chosen) is kl.KhatriRao
    close(chosen.to_dense(), kron.to_dense()[:, [5, 0, 11]])


@each_stack()
def test_chosen_columns_are_those_of_both(lib, dtype, batch):
    left, right = normal((*batch, 3, 5), dtype), normal((*batch, 2, 5), dtype, 1)
    op = kl.KhatriRao._make(lib.asarray(left), lib.asarray(right))
    chosen = rules.columns(op, [4, 0])
    assert type(chosen) is kl.KhatriRao
    close(lib.numpy(chosen.to_dense()), lib.numpy(op.to_dense())[..., [4, 0]], rtol=10 * float(eps(dtype)))


@each_stack()
def test_columns_by_products_in_stacks(lib, dtype, batch):
    dense = normal((*batch, 3, 5), dtype)
    chosen = rules.columns(Bare(lib.asarray(dense)), [4, 0])
    assert type(chosen) is kl.Dense
    np.testing.assert_array_equal(lib.numpy(chosen.array), dense[..., [4, 0]])


def test_bad_input():
    with pytest.raises(ValueError, match=r"equally many columns, not \(2, 3\) and \(2, 4\)"):
        kl.KhatriRao(np.ones((2, 3)), np.ones((2, 4)))


def test_a_gram_matrix_in_double_precision():
    root = kl.KhatriRao(normal((3, 2), "float32"), normal((4, 2), "float32", 1))
    exact = root.astype("float64").to_dense()
    np.testing.assert_allclose(rules.wide_gram(root), exact.T @ exact, rtol=1e-14)
