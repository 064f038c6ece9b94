"""Kronecker: row-major vectors, any number of factors, and the rules that keep it one."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.testing import check_operator
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


def test_properties_are_derived_upward_and_never_guessed_downward():
    minus = kl.Dense(-np.eye(2))
    both = kl.assume(kl.Kronecker(minus, minus), "pd")
    assert both.is_pd is True
    assert both.factors[0].is_psd is None
    assert kl.Kronecker(kl.Identity(2, dtype="float64"), kl.Identity(3, dtype="float64")).is_pd is True
    check_operator(kl.Kronecker(hermitian(2), hermitian(3)))


def test_factors_of_extreme_size_do_not_overflow():
    k = kl.Kronecker(kl.assume(kl.Dense(1e150 * positive(3)), "pd"), kl.assume(kl.Dense(1e-150 * positive(2)), "pd"))
    close(k.logdet(), np.linalg.slogdet(np.kron(positive(3), positive(2)))[1])
    close(k.norm(), np.linalg.norm(np.kron(positive(3), positive(2))))
    close(k.damped(1.0).to_dense(), np.kron(positive(3), positive(2)) + np.eye(6))


def test_bad_input():
    with pytest.raises(ValueError, match="at least one factor"):
        kl.Kronecker()
    with pytest.raises(ValueError, match="mixes numpy float64 with numpy float32"):
        kl.Kronecker(np.eye(2), np.eye(2, dtype="float32"))
