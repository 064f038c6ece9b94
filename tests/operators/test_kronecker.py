"""Kronecker: row-major vectors, any number of factors, and the rules that keep it one."""

import gc
from functools import reduce
from itertools import product
from weakref import ref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Scaled, Sum, rules
from kronlin.testing import check_operator
from tests.algebra.bare import Bare
from tests.matrices import each_dtype, hermitian, normal, positive
from tests.operators.laws import check, close


@each_dtype()
@pytest.mark.parametrize("shapes", [[(2, 3), (4, 2)], [(3, 3), (2, 2)], [(1, 2), (3, 1), (2, 2)], [(2, 2)]], ids=str)
def test_laws(lib, dtype, shapes):
    factors = [normal(shape, dtype, seed) + 2 * np.eye(*shape, dtype=dtype) for seed, shape in enumerate(shapes)]
    check(kl.Kronecker(*map(lib.asarray, factors)), reduce(np.kron, factors), lib)


@each_dtype(("float64", "complex128"))
def test_laws_of_a_positive_one(lib, dtype):
    g, a = positive(3, dtype), positive(2, dtype, 1)
    op = kl.Kronecker(*(kl.assume(kl.Dense(lib.asarray(x)), "pd") for x in (g, a)))
    assert op.is_pd
    check(op, np.kron(g, a), lib)
    check(op.damped(0.3), np.kron(g, a) + 0.3 * np.eye(6), lib)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4),
    st.integers(0, 3),
    st.integers(0, 99),
)
def test_products_in_any_order_of_factors(shapes, k, seed):
    factors = [normal(shape, seed=seed + i) for i, shape in enumerate(shapes)]
    op, dense = kl.Kronecker(*factors), reduce(np.kron, factors)
    x = normal((dense.shape[1], k), seed=seed)
    np.testing.assert_allclose(op @ x, dense @ x, atol=1e-11)


@each_dtype(("float32", "complex128"))
@pytest.mark.parametrize("heights", [(3, 4), (2, 1, 3)], ids=str)
def test_a_single_column_or_row_is_multiplied_out_once(lib, dtype, heights):
    """It is as long as a vector that it makes, and a product is one step: the same array for every product."""
    factors = [normal((height, 1), dtype, seed) for seed, height in enumerate(heights)]
    column, dense = kl.Kronecker(*map(lib.asarray, factors)), reduce(np.kron, factors)
    for op, matrix in ((column, dense), (column.H, dense.conj().T)):
        check(op, matrix, lib)
        formed = op._kept("vector")
        assert tuple(formed.shape) == op.shape
        op @ lib.asarray(normal(op.shape[1], dtype))
        assert op._kept("vector") is formed
    stacked = kl.BlockDiagonal([column, column])
    check(stacked, np.kron(np.eye(2), dense), lib)
    assert type(stacked.buckets[0]) is kl.Kronecker


def test_the_vec_is_row_major():
    g, a, v = normal((3, 3)), normal((4, 4), seed=1), normal((3, 4), seed=2)
    close(kl.Kronecker(g, a) @ v.ravel(), (g @ v @ a.T).ravel())


def test_result_types():
    k = kl.Kronecker(positive(3), positive(2))
    for op in (k @ k, k.inverse(), k.H, k.T, k.pinv()):
        assert type(op) is kl.Kronecker
    assert type(kl.assume(k, "psd").damped(0.1)) is kl.Spectral
    assert type(k.damped(0.1).inverse()) is kl.Spectral
    assert type(k + 0.1 * kl.Identity(6, like=k)) is kl.Spectral
    assert type(k.eigh()) is kl.Spectral
    psd = kl.Kronecker(kl.assume(kl.Dense(positive(3)), "pd"), kl.assume(kl.Dense(positive(2)), "pd"))
    assert type(psd.sqrt()) is kl.Kronecker
    assert [f.shape for f in kl.Kronecker(k, np.eye(2)).factors] == [(3, 3), (2, 2), (2, 2)]


def test_the_mixed_product_declines_where_sizes_do_not_fit():
    one, two = kl.Kronecker(normal((2, 3)), normal((2, 4))), kl.Kronecker(normal((4, 2)), normal((3, 2)))
    product = one @ two
    assert type(product) is not kl.Kronecker
    close(product.to_dense(), one.to_dense() @ two.to_dense())


def test_damping_is_exact_and_decomposes_once(monkeypatch):
    import kronlin.operators.spectral as module

    calls, real = [], module.eigh
    monkeypatch.setattr(module, "eigh", lambda a: calls.append(a.shape) or real(a))
    g, a = positive(3), positive(4, seed=1)
    k = kl.Kronecker(g, a)
    for lam in (1e-3, 1.0, 10.0):
        close(k.damped(lam).to_dense(), np.kron(g, a) + lam * np.eye(12))
    assert sorted(calls) == [(3, 3), (4, 4)]


@each_dtype()
def test_trace_and_diagonal_of_a_damped_one_come_from_the_diagonals_of_the_factors(lib, dtype, monkeypatch):
    g, a = positive(3, dtype), positive(4, dtype, seed=1)
    damped = kl.Kronecker(lib.asarray(g), lib.asarray(a)).damped(0.5)
    monkeypatch.setattr(rules, "modulus2", None)  # what |Q|² w asks for
    for op, lam in ((damped, 0.5), (damped.damped(1.0), 1.5)):
        expected = np.real(np.diagonal(np.kron(g, a))) + lam
        np.testing.assert_allclose(lib.numpy(op.diagonal()), expected, rtol=1e-5)
        np.testing.assert_allclose(lib.numpy(op.trace()), expected.sum(), rtol=1e-5)


def test_a_damped_one_keeps_no_factor_in_memory():
    k = kl.Kronecker(positive(3), positive(4))
    damped, arrays = k.damped(1.0), [ref(factor.array) for factor in k.factors]
    del k
    gc.collect()
    assert [array() for array in arrays] == [None, None]
    assert damped.diagonal().shape == (12,)


FACTORS = {
    "Identity": lambda n, dtype: kl.Identity(n, dtype=dtype),
    "multiple of I": lambda n, dtype: -2.0 * kl.Identity(n, dtype=dtype),
    "Diagonal": lambda n, dtype: kl.Diagonal(np.linspace(1, 2, n).astype(dtype)),
    "Dense": lambda n, dtype: kl.Dense(positive(n, dtype, n)),
    "Scaled": lambda n, dtype: -1.5 * kl.assume(Bare(positive(n, dtype, n)), "pd"),
}


def mixed(names, dtype="float64"):
    """Kronecker product of factors of these types, of sizes 2, 3, …, and its matrix."""
    factors = [FACTORS[name](n, dtype) for n, name in enumerate(names, 2)]
    return kl.Kronecker(*factors), reduce(np.kron, [factor.to_dense() for factor in factors])


@pytest.mark.parametrize("names", [pair for pair in product(FACTORS, repeat=2) if pair != ("Dense", "Dense")], ids=str)
def test_cheap_factors_obey_the_laws(names):
    check_operator(*mixed(names))


@pytest.mark.parametrize("names", [*product(["Identity", "multiple of I", "Diagonal", "Dense"], repeat=3)], ids=str)
def test_cheap_factors_in_any_place(names):
    op, dense = mixed(names)
    x = normal((24, 3))
    close(op @ x, dense @ x)
    close(op.H @ x[:, 0], dense.T @ x[:, 0])
    stacked = kl.BlockDiagonal([op, op])
    close(stacked @ np.concatenate([x, -x]), np.concatenate([dense @ x, -dense @ x]))


@each_dtype(("float32", "complex128"))
def test_cheap_factors_on_every_library(lib, dtype):
    d, a = normal((2,), dtype), normal((3, 3), dtype)
    op = kl.Kronecker(kl.Diagonal(lib.asarray(d)), lib.asarray(a), 2 * kl.Identity(2, like=lib.asarray(a)))
    check(op, reduce(np.kron, [np.diag(d), a, 2 * np.eye(2, dtype=dtype)]), lib)


def test_an_identity_factor_is_not_multiplied_nor_copied(monkeypatch):
    monkeypatch.setattr(kl.Identity, "_matmat", None)
    a, eye, x = normal((3, 3)), kl.Identity(4, dtype="float64"), normal((12, 2))
    close(kl.Kronecker(a, eye) @ x, np.kron(a, np.eye(4)) @ x)
    close(kl.Kronecker(eye, a) @ x, np.kron(np.eye(4), a) @ x)
    assert np.shares_memory(kl.Kronecker(eye, kl.Identity(3, dtype="float64")) @ x, x)
    seen = []
    first = kl.Function(lambda block: seen.append(block) or 2 * block, shape=(3, 3), dtype="float64")
    close(kl.Kronecker(first, eye) @ x, 2 * x)
    assert np.shares_memory(seen[0], x)


@pytest.mark.parametrize("name", ["Identity", "multiple of I", "Diagonal", "Scaled"])
def test_rules_keep_cheap_factors(name):
    """The basis of a multiple of I or of a diagonal is I, and inverses and powers are of the same type."""
    op, dense = mixed(["Dense", name])
    factor = op.factors[1]
    basis = op.eigh()
    assert type(basis.Q) is kl.Kronecker
    assert type(basis.Q.factors[1]) is (kl.Dense if name == "Scaled" else kl.Identity)
    for result, due in ((op.inverse(), np.linalg.inv(dense)), (op.power(2), dense @ dense), (op @ op, dense @ dense)):
        assert type(result) is kl.Kronecker
        close(result.to_dense(), due, 1e-11)
    if name != "Scaled":
        for result in (op.inverse(), op.H, op.power(2), op.power(-2)):
            assert type(result.factors[1]) is type(factor)
    assert type(op.damped(0.1)) is kl.Spectral
    close(op.damped(0.1).inverse().to_dense(), np.linalg.inv(dense + 0.1 * np.eye(6)), 1e-11)


def test_a_factor_of_size_one_is_a_scalar():
    op = kl.Kronecker(np.array([[-2.0]]), positive(3))
    for result, due in ((op.inverse(), np.linalg.inv(-2 * positive(3))), (op.power(2), 4 * positive(3) @ positive(3))):
        assert type(result) is kl.Kronecker
        close(result.to_dense(), due, 1e-11)
    assert type(op.eigh().Q) is kl.Kronecker
    check_operator(op, -2 * positive(3))


def test_what_is_diagonal_factor_by_factor_adds_and_multiplies_cheaply():
    d, e = (kl.Kronecker(kl.Diagonal(normal((2,), seed=s)), 2 * kl.Identity(3, dtype="float64")) for s in (0, 1))
    f = kl.Diagonal(normal((6,)))
    for total, terms in ((d + e, (d, e)), (d + f, (d, f)), (f + d, (f, d))):
        assert type(total) is kl.Diagonal
        close(total.to_dense(), terms[0].to_dense() + terms[1].to_dense(), 1e-14)
    assert [type(factor) for factor in (d @ e).factors] == [kl.Diagonal, Scaled]
    assert type(d + kl.Kronecker(np.eye(2), np.eye(3))) is Sum
    assert type(f + kl.Kronecker(np.eye(2), np.eye(3))) is Sum


@pytest.mark.parametrize(
    ("left", "right", "counts"),
    [
        ([2, 3, 4], [2, 12], [(1, 1), (2, 1)]),
        ([6, 4], [2, 3, 4], [(1, 2), (1, 1)]),
        ([2, 1, 3], [2, 3], [(1, 1), (2, 1)]),
        ([2, 3, 1], [2, 3], [(1, 1), (2, 1)]),
        ([2, 3], [2, 3, 1, 1], [(1, 1), (1, 3)]),
        ([1, 4], [4], None),
        ([2, 3], [3, 2], None),
        ([2, 2], [4, 1], None),
        ([0, 2], [0, 5, 2], None),
    ],
    ids=str,
)
def test_the_mixed_product_takes_factors_together_until_their_sizes_fit(left, right, counts):
    a = kl.Kronecker(*(normal((2, n), seed=n) for n in left))
    b = kl.Kronecker(*(normal((m, 2), seed=m) for m in right))
    together = a @ b
    close(together.to_dense(), a.to_dense() @ b.to_dense())
    if counts is None:
        assert type(together) is not kl.Kronecker
    else:
        assert [f.shape for f in together.factors] == [(2**m, 2**n) for m, n in counts]


def test_properties_are_derived_upward_and_never_guessed_downward():
    minus = kl.Dense(-np.eye(2))
    both = kl.assume(kl.Kronecker(minus, minus), "pd")
    assert both.is_pd is True
    assert both.factors[0].is_psd is None
    assert kl.Kronecker(kl.Identity(2, dtype="float64"), kl.Identity(3, dtype="float64")).is_pd is True
    check_operator(kl.Kronecker(hermitian(2), hermitian(3)))


def test_bad_input():
    with pytest.raises(ValueError, match="at least one factor"):
        kl.Kronecker()
    with pytest.raises(ValueError, match="mixes numpy float64 with numpy float32"):
        kl.Kronecker(np.eye(2), np.eye(2, dtype="float32"))
