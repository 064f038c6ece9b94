"""The nearest Kronecker products against the singular values of the rearranged array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Sum
from tests.libraries import NUMPY
from tests.matrices import each_dtype, eps, hermitian, normal, positive, wide
from tests.nets import layer_lists, random_layers, tiny_layers
from tests.operators.test_rearranged import by_definition

KINDS = st.sampled_from(["float64", "complex128"])
SIZES = st.tuples(*[st.integers(1, 3)] * 4)


def values(a, shapes):
    """The singular values of the rearranged array."""
    return np.linalg.svd(by_definition(a, shapes), compute_uv=False)


def error(a, K):
    return np.linalg.norm(a - K.to_dense())


def check_best(A, dense, shapes, rank, tolerance=1e-10):
    """err² is the sum of the squares of the other singular values; the terms are balanced and of one sign."""
    K = kl.nearest_kronecker(A, shapes, rank)
    best = np.linalg.norm(values(dense, shapes)[rank:])
    np.testing.assert_allclose(error(dense, K), best, rtol=1e-7, atol=tolerance * np.linalg.norm(dense))
    terms = [K] if rank == 1 else list(K.terms)
    assert type(K) is (kl.Kronecker if rank == 1 else Sum)
    assert len(terms) == rank
    for term, sigma in zip(terms, values(dense, shapes), strict=False):
        G, B = term.factors
        assert (G.shape, B.shape) == shapes
        np.testing.assert_allclose(
            [G.norm(), B.norm()], sigma**0.5, rtol=1e-6, atol=1e-4 * np.linalg.norm(dense) ** 0.5
        )
        trace = np.trace(B.to_dense())
        assert abs(trace.imag) <= 1e-10 * float(B.norm())
        assert trace.real >= -1e-10 * float(B.norm())
    return K


@given(SIZES, KINDS, st.integers(1, 4), st.integers(0, 99))
def test_arrays(sizes, dtype, rank, seed):
    m1, n1, m2, n2 = sizes
    a = normal((m1 * m2, n1 * n2), dtype, seed)
    shapes, rank = ((m1, n1), (m2, n2)), min(rank, m1 * n1, m2 * n2)
    check_best(a, a, shapes, rank)


@given(st.integers(1, 3), st.integers(1, 3), KINDS, st.integers(1, 3), st.integers(0, 99))
def test_self_adjoint_arrays(m, n, dtype, rank, seed):
    a, shapes = hermitian(m * n, dtype, seed), ((m, m), (n, n))
    K = check_best(a, a, shapes, min(rank, m * m, n * n))
    assert K.is_self_adjoint is True
    assert K.is_psd is None
    np.testing.assert_allclose(K.to_dense(), K.to_dense().conj().T, atol=1e-12 * np.linalg.norm(a))


@given(st.integers(1, 3), st.integers(1, 3), KINDS, st.integers(1, 3), st.integers(0, 99))
def test_psd_arrays(m, n, dtype, rank, seed):
    x = normal((m * n, 2), dtype, seed)
    a, shapes = x @ x.conj().T, ((m, m), (n, n))
    rank = min(rank, m * m, n * n)
    K = check_best(kl.assume(kl.Dense(a), "psd"), a, shapes, rank)
    first = K if rank == 1 else K.terms[0]
    assert first.is_psd is True
    assert K.is_psd is (True if rank == 1 else None)
    for factor in first.factors:
        assert factor.is_psd is True
        assert np.linalg.eigvalsh(factor.to_dense())[0] >= -1e-14 * float(factor.norm())


@given(layer_lists(), st.integers(1, 3))
def test_fisher_blocks(layers, rank):
    """Without forming the block: the same as from the array."""
    for layer, F in zip(layers, kl.block_diagonal_fisher(layers).blocks, strict=True):
        shapes = ((layer.d_out, layer.d_out), (layer.d_in, layer.d_in))
        K = check_best(F, F.to_dense(), shapes, min(rank, layer.d_out**2, layer.d_in**2))
        assert K.is_self_adjoint is True


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_complex_fisher_blocks(dtype):
    layer = random_layers(np.random.default_rng(0), 6, 2, [(3, 2)], 2, dtype=dtype)[0]
    F = kl.block_diagonal_fisher([layer]).blocks[0]
    for rank in (1, 2, 4):
        assert check_best(F, F.to_dense(), ((3, 3), (2, 2)), rank).is_self_adjoint is True


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_equal_singular_values_are_all_found(dtype):
    """A gradient of one example with the singular values τ gives its block the τ_i τ_j; nine equal ones at last."""
    for seed, (d, S) in enumerate([(2, 2), (3, 3), (3, 2)]):
        layer = random_layers(np.random.default_rng(seed), 1, 1, [(d, d)], S, dtype=dtype)[0]
        F = kl.block_diagonal_fisher([layer]).blocks[0]
        for rank in range(1, S**2 + 1):
            check_best(F, F.to_dense(), ((d, d), (d, d)), rank)
    units = np.eye(3, dtype=dtype)[None]
    F = kl.block_diagonal_fisher([kl.LayerStatistics(units, units)]).blocks[0]
    for rank in (2, 4, 9):
        check_best(F, F.to_dense(), ((3, 3), (3, 3)), rank)


def test_larger_fisher_blocks():
    """More singular values than one run of steps finds."""
    layer = random_layers(np.random.default_rng(0), 50, 3, [(8, 9)], 2)[0]
    F = kl.block_diagonal_fisher([layer]).blocks[0]
    for rank in (1, 2):
        check_best(F, F.to_dense(), ((8, 8), (9, 9)), rank)


def test_skew_terms():
    """The second term of a real symmetric matrix can have two skew factors."""
    skew = np.array([[0.0, 1.0], [-1.0, 0.0]])
    a = (
        np.kron(np.eye(2), np.eye(2))
        + 0.5 * np.kron(skew, skew)
        + 0.1 * np.kron(np.diag([1.0, -1]), np.diag([1.0, -1]))
    )
    for A in (a, kl.assume(kl.Dense(a), "psd")):
        K = check_best(A, a, ((2, 2), (2, 2)), 2)
        assert [factor.is_self_adjoint for factor in K.terms[1].factors] == [False, False]
        assert K.terms[1].is_self_adjoint is True


def test_equal_singular_values_have_psd_factors():
    """σ₁ = σ₂ = σ₃ = σ₄: any orthogonal mixture is a best approximation, the one nearest to I is psd."""
    swap = np.eye(4).reshape(2, 2, 2, 2).swapaxes(0, 1).reshape(4, 4)
    a = np.eye(4) + swap  # psd, of rank 3
    K = kl.nearest_kronecker(kl.assume(kl.Dense(a), "psd"), ((2, 2), (2, 2)))
    assert K.is_psd is True
    np.testing.assert_allclose(error(a, K) ** 2, np.sum(values(a, ((2, 2), (2, 2)))[1:] ** 2), rtol=1e-12)
    ghz = np.diag([1.0, 0.0, 0.0, 1.0])  # σ₁ = σ₂ with e₁e₁ᵀ and e₂e₂ᵀ
    both = check_best(kl.assume(kl.Dense(ghz), "psd"), ghz, ((2, 2), (2, 2)), 2)
    np.testing.assert_allclose(both.to_dense(), ghz, atol=1e-14)
    np.testing.assert_allclose(both.terms[0].factors[0].to_dense(), np.eye(2) / 2**0.5, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_a_kronecker_product_is_found_again(scale):
    """Up to scale, for any structure of A; further terms are zero."""
    G, B = positive(3), positive(2, seed=1)
    for A in (np.kron(G, B), kl.Kronecker(G, B), kl.Kronecker(G, B, np.ones((1, 1)))):
        A = scale * A
        K = kl.nearest_kronecker(A, ((3, 3), (2, 2)), 3)
        np.testing.assert_allclose(K.terms[0].to_dense() / scale, np.kron(G, B), atol=1e-13)
        assert float(K.terms[1].norm()) <= 1e-13 * scale
        assert float(K.terms[2].norm()) <= 1e-13 * scale


def test_zero():
    for A in (np.zeros((6, 6)), kl.assume(kl.Dense(np.zeros((6, 6))), "psd")):
        K = kl.nearest_kronecker(A, ((2, 2), (3, 3)), 2)
        assert not K.to_dense().any()


@each_dtype(["float32", "complex128"])
def test_every_library(lib, dtype):
    a = positive(6, dtype)
    for A in (kl.Dense(lib.asarray(a)), kl.assume(kl.Dense(lib.asarray(a)), "psd")):
        K = kl.nearest_kronecker(A, ((3, 3), (2, 2)))
        assert type(K) is kl.Kronecker
        assert K.kind == A.kind
        dense = lib.numpy(K.to_dense())
        assert lib.owns(K.to_dense())
        best = kl.nearest_kronecker(wide(a), ((3, 3), (2, 2))).to_dense()
        np.testing.assert_allclose(dense, best, rtol=0, atol=100 * eps(dtype))


@each_dtype(["float32", "float64"])
def test_fisher_blocks_on_every_library(lib, dtype):
    F, truth = (
        kl.block_diagonal_fisher(tiny_layers(one, d)).blocks[0] for one, d in ((lib, dtype), (NUMPY, "float64"))
    )
    K, best = (kl.nearest_kronecker(A, ((3, 3), (2, 2)), 2) for A in (F, truth))
    assert K.kind == F.kind
    assert lib.owns(K.to_dense())
    np.testing.assert_allclose(lib.numpy(K.to_dense()), best.to_dense(), rtol=0, atol=1e3 * eps(dtype))


@pytest.mark.parametrize(
    ("shapes", "rank", "match"),
    [
        (((2, 2), (2, 2)), 1, r"of shape 4×4, but A is 6×6: pass .* m1 m2 = 6 and n1 n2 = 6"),
        ((6, 1), 1, "shapes must be"),
        (((2, 2), (3, 3)), 0, "rank must be a whole number from 1 to 4"),
        (((2, 2), (3, 3)), 5, "rank must be a whole number from 1 to 4"),
        (((2, 2), (3, 3)), 1.5, "rank must be a whole number from 1 to 4"),
    ],
)
def test_arguments_are_checked(shapes, rank, match):
    with pytest.raises(ValueError, match=match):
        kl.nearest_kronecker(np.eye(6), shapes, rank)


def test_all_but_equal_singular_values_have_psd_factors():
    """Rounding mixes their vectors by eps over the gap, far more than eps."""
    for seed in range(10):
        (q, _), (r, _) = (np.linalg.qr(normal((2, 2), seed=s)) for s in (seed, seed + 100))
        Q = np.kron(q, r)
        a = Q @ np.diag([1.0, 0.0, 0.0, 1 - 1e-12]) @ Q.T
        K = kl.nearest_kronecker(kl.assume(kl.Dense((a + a.T) / 2), "psd"), ((2, 2), (2, 2)))
        for factor in K.factors:
            assert np.linalg.eigvalsh(factor.to_dense())[0] >= -1e-15
        assert error(a, K) == pytest.approx(1.0, rel=1e-8)
