"""Sums of two Kronecker products, inverted by diagonalising both together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Sum
from kronlin.operators import Congruence, fallback
from kronlin.operators.kroneckerpair import diagonalise
from kronlin.testing import check_operator
from tests.algebra.bare import Bare
from tests.matrices import each_dtype, hermitian, normal, positive, wide
from tests.operators.laws import check, close


def small(n, dtype="float64", seed=5, size=0.05):
    """Indefinite, of norm `size`."""
    a = hermitian(n, dtype, seed)
    return (size * a / np.linalg.norm(a, 2)).astype(dtype)


def dense_sum(pairs):
    """The dense twin of Σ G ⊗ A."""
    return sum(np.kron(wide(g), wide(a)) for g, a in pairs)


@each_dtype()
@pytest.mark.parametrize("first", [0, 1], ids=["definite first", "definite second"])
def test_laws(lib, dtype, first):
    pairs = [(positive(2, dtype, condition=4), positive(3, dtype, 1, condition=4)), (small(2, dtype), small(3, dtype))]
    terms = [kl.Kronecker(lib.asarray(g), lib.asarray(a)) for g, a in (pairs[first], pairs[1 - first])]
    total = terms[0] + terms[1]
    assert type(total) is Sum
    check(total, dense_sum(pairs), lib)
    inverse = total.inverse()
    assert type(inverse) is Congruence
    assert inverse.is_pd is True
    check(inverse, np.linalg.inv(dense_sum(pairs)), lib)


@given(st.integers(1, 4), st.integers(1, 4), st.sampled_from(["float64", "complex128"]), st.integers(0, 99))
def test_inverse_solution_and_determinant(m, n, dtype, seed):
    pairs = [
        (positive(m, dtype, seed), positive(n, dtype, seed + 1)),
        (small(m, dtype, seed), small(n, dtype, seed, 0.1)),
    ]
    total = kl.Kronecker(*pairs[0]) - 2 * kl.Kronecker(*pairs[1])
    dense = np.kron(*pairs[0]) - 2 * np.kron(*pairs[1])
    if np.linalg.eigvalsh(dense)[0] < 1e-3:
        return
    b = normal((m * n, 2), dtype, seed)
    np.testing.assert_allclose(total.inverse() @ b, np.linalg.solve(dense, b), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(total.solve(b), np.linalg.solve(dense, b), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(total.logdet(), np.linalg.slogdet(dense)[1], atol=1e-10)
    assert total.inverse().inverse() is total


def test_the_results_have_structured_scalars(monkeypatch):
    pairs = [(positive(3), positive(4, seed=1)), (small(3), small(4))]
    total, inverse = kl.Kronecker(*pairs[0]) + kl.Kronecker(*pairs[1]), np.linalg.inv(dense_sum(pairs))
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 4)
    found = total.inverse()
    close(found.trace(), np.trace(inverse), 1e-12)
    close(found.diagonal(), np.diagonal(inverse), 1e-12)
    close(found.norm(), np.linalg.norm(inverse), 1e-12)
    close(found.logdet(), np.linalg.slogdet(inverse)[1], 1e-12)
    close(found.inverse() @ np.ones(12), dense_sum(pairs) @ np.ones(12), 1e-12)


@pytest.mark.parametrize("lam", [1e-6, 1e-2, 10.0])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_multiple_of_the_identity_as_second_product_is_tikhonov_damping(lam, dtype):
    """The psd first term is singular: the identity is taken as the definite one."""
    factors = [x @ x.conj().T for x in (normal((4, 2), dtype), normal((3, 1), dtype, 1))]
    g, a = (kl.assume(kl.Dense(x), "psd") for x in factors)
    root = [lam**0.5 * kl.Identity(n, dtype=dtype) for n in (4, 3)]
    k, b = kl.Kronecker(g, a), normal((12,), dtype, 3)
    total = k + kl.Kronecker(*root)
    close(total.solve(b) * lam, k.damped(lam).solve(b) * lam, 1e-8)
    close(total.inverse() @ b * lam, k.damped(lam).solve(b) * lam, 1e-8)
    close(total.logdet(), k.damped(lam).logdet(), 1e-8)


def test_the_better_conditioned_product_is_the_reference():
    bad, good = positive(3, condition=1e12), positive(3, seed=1, condition=2)
    for order in (1, -1):
        terms = [kl.Kronecker(bad, bad), kl.Kronecker(good, good)][::order]
        total = terms[0] + terms[1]
        assert diagonalise(total).first is terms[::order][1]
        dense = np.kron(bad, bad) + np.kron(good, good)
        close(total.inverse().to_dense(), np.linalg.inv(dense), 1e-12)


def test_the_decomposition_is_done_once(monkeypatch):
    import kronlin.operators.spectral as module

    calls, real = [], module.eigh
    monkeypatch.setattr(module, "eigh", lambda a: calls.append(a.shape) or real(a))
    total = kl.Kronecker(positive(2), positive(3)) + kl.Kronecker(small(2), small(3))
    for _ in range(2):
        total.solve(np.ones(6)), total.inverse(), total.slogdet()
    assert sorted(calls) == [(2, 2), (3, 3)]


def test_single_precision_is_decomposed_in_double(monkeypatch):
    pairs = [
        (positive(4, "float32", condition=1e3), positive(4, "float32", 1, condition=1e3)),
        (small(4, "float32", size=1e-4), small(4, "float32", size=1e-4)),
    ]
    total = kl.Kronecker(*pairs[0]) + kl.Kronecker(*pairs[1])
    assert total.inverse().K.dtype == total.inverse().d.dtype == np.float32
    exact = np.linalg.inv(dense_sum(pairs))
    close(total.inverse().to_dense() / np.linalg.norm(exact, 2), exact / np.linalg.norm(exact, 2), 1e-5)


def test_the_signs_of_both_spectra_count_together():
    """Each of G₂ and A₂ is indefinite; what matters is the product t_u s_v, of which |t_u| |s_v| says nothing."""
    t, s = np.array([-0.5, 0.9]), np.array([-0.8, 0.4, 1.0])
    d = 1 + np.outer(t, s).ravel()
    total = kl.Kronecker(np.eye(2), np.eye(3)) + kl.Kronecker(np.diag(t), np.diag(s))
    close(total.inverse().to_dense(), np.diag(1 / d), 1e-14)


def indefinite(value):
    """Its smallest 1 + t_u s_v is `value`, for the largest of t and the smallest of s."""
    g, a = positive(2, condition=3), positive(3, seed=1, condition=3)
    root, m = np.linalg.cholesky(g), np.linalg.cholesky(a)
    other = kl.Kronecker(root @ np.diag([1.0, 2.0]) @ root.T, m @ np.diag([(value - 1) / 2, 0.0, 0.25]) @ m.T)
    return kl.Kronecker(g, a) + other


@pytest.mark.parametrize("ask", [lambda a: a.inverse(), lambda a: a.solve(np.ones(6))], ids=["inverse", "solve"])
def test_an_indefinite_sum_is_refused_with_the_value_and_the_way_out(ask):
    match = r"not positive definite.*1 \+ t_u s_v = -0\.5 at \(u, v\) = \(1, 0\).*damp the factors.*A\.eigh\(\)"
    with pytest.raises(kl.NotPositiveDefiniteError, match=match):
        ask(indefinite(-0.5))
    with pytest.raises(kl.SingularMatrixError, match=r"no inverse.*at \(u, v\) = \(1, 0\).*zero to rounding"):
        ask(indefinite(0.0))
    sign, logarithm = indefinite(-0.5).slogdet()
    expected = np.linalg.slogdet(indefinite(-0.5).to_dense())
    assert sign == expected[0] == -1
    assert logarithm == pytest.approx(expected[1], rel=1e-12)
    close(indefinite(-0.5).eigh().inverse().to_dense(), np.linalg.inv(indefinite(-0.5).to_dense()), 1e-11)


def test_a_broken_promise_is_found():
    g = kl.assume(kl.Dense(small(2)), "psd")
    with pytest.raises(kl.NotPositiveDefiniteError, match="was promised to be psd"):
        (kl.Kronecker(positive(2), positive(2)) + kl.Kronecker(g, g)).inverse()


def test_multiples_of_the_products():
    pairs = [(positive(2), positive(3)), (small(2), small(3))]
    for c, e in ((2.0, -3.0), (0.25, 1.0), (3, -1)):
        total = c * kl.Kronecker(*pairs[0]) + e * kl.Kronecker(*pairs[1])
        dense = c * np.kron(*pairs[0]) + e * np.kron(*pairs[1])
        assert type(total.inverse()) is Congruence
        close(total.inverse().to_dense(), np.linalg.inv(dense), 1e-11)
        close(total.logdet(), np.linalg.slogdet(dense)[1], 1e-12)


def test_diagonal_factors_stay_diagonal():
    d = [kl.Diagonal(np.arange(1.0, n + 1)) for n in (2, 3)]
    total = kl.Kronecker(*d) - 0.1 * kl.Kronecker(kl.Identity(2, dtype="float64"), d[1])
    assert [type(factor) for factor in total.inverse().K.factors] == [kl.Diagonal, kl.Diagonal]
    check_operator(total)
    mixed = kl.Kronecker(d[0], positive(3)) + kl.Kronecker(kl.Identity(2, dtype="float64"), small(3))
    assert [type(factor) for factor in mixed.inverse().K.factors] == [kl.Diagonal, kl.Dense]
    check_operator(mixed)


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_equal_blocks_are_computed_together(dtype):
    blocks = [
        kl.Kronecker(positive(2, dtype, s), positive(2, dtype, s + 1))
        + kl.Kronecker(small(2, dtype, s), small(2, dtype))
        for s in (0, 1)
    ]
    op = kl.BlockDiagonal(blocks)
    assert [bucket.batch for bucket in op.buckets] == [(2,)]
    check_operator(op)
    assert type(op.inverse().buckets[0]) is Congruence


@pytest.mark.parametrize(
    "terms",
    [
        (kl.Kronecker(normal((2, 2)), positive(3)), kl.Kronecker(positive(2), positive(3))),
        (kl.Kronecker(positive(2), positive(3)), kl.Kronecker(positive(3), positive(2))),
        (kl.Kronecker(positive(2), positive(2), positive(2)), kl.Kronecker(positive(4), positive(2))),
        (kl.Kronecker(hermitian(2), hermitian(3)), kl.Kronecker(hermitian(2, seed=1), hermitian(3, seed=1))),
        (1j * kl.Kronecker(positive(2), positive(3)), kl.Kronecker(positive(2), positive(3))),
        (kl.Kronecker(Bare(positive(2)), positive(3)), kl.Kronecker(positive(2), positive(3))),
        (kl.Kronecker(positive(2), positive(3)), Bare(positive(6))),
    ],
    ids=["not self-adjoint", "unequal sizes", "three factors", "both indefinite", "complex", "unknown", "one product"],
)
def test_other_sums_have_the_dense_method(terms):
    total = terms[0] + terms[1]
    dense = terms[0].to_dense() + terms[1].to_dense()
    assert diagonalise(total) is None
    assert type(total.inverse()) is kl.Dense
    close(total.inverse().to_dense(), np.linalg.inv(dense), 1e-10)
    close(total.slogdet()[1], np.linalg.slogdet(dense)[1], 1e-11)


def test_low_rank_updates_are_left_to_woodbury():
    total = kl.Kronecker(positive(2), positive(3)) + kl.LowRank(normal((6, 1)))
    assert type(total.inverse()) is Sum
    more = total + kl.Kronecker(small(2), small(3))
    assert [type(term) for term in more.inverse().terms] == [Congruence, kl.LowRank]
    close(more.inverse().to_dense(), np.linalg.inv(more.to_dense()), 1e-11)
    lifted = indefinite(-0.5) + kl.LowRank(normal((6, 5)))
    close(lifted.inverse().to_dense(), np.linalg.inv(lifted.to_dense()), 1e-11)


@pytest.mark.parametrize("ask", ["inverse", "logdet", "solve"])
def test_above_the_limit_the_error_says_what_would_help(ask, monkeypatch):
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 5)
    arguments = [np.ones(6)] if ask == "solve" else []
    pair = kl.Kronecker(positive(2), positive(3)) + kl.Kronecker(small(2), small(3))
    with pytest.raises(ValueError, match=r"more terms cannot: damp the factors .* limit of 5 .* kronlin\.cg\(A, b\)"):
        getattr(pair.damped(0.1), ask)(*arguments)
    neither = kl.Kronecker(small(2), small(3)) + kl.Kronecker(small(2, seed=1), small(3, seed=1))
    with pytest.raises(ValueError, match=r"positive definite to working precision: damp .* kronlin\.cg\(A, b\)"):
        getattr(neither, ask)(*arguments)
