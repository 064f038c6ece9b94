"""Laws of factored damping: the stored reference, what it is invariant to, and what it is larger than."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Scaled, Sum
from kronlin.operators import Congruence, fallback
from tests.matrices import each_dtype, eps, normal, positive, wide
from tests.nets import DAMPINGS, NETS, close, layers_of, random_layers, reference

BALANCED = pytest.mark.parametrize("pi", ["trace", "frobenius", "spectral"])
PI = pytest.mark.parametrize("pi", ["trace", "frobenius", "spectral", None])


def psd(*sizes, seed=0, dtype="float64"):
    """Singular psd factors."""
    parts = [normal((n, max(1, n - 1)), dtype, seed + i) for i, n in enumerate(sizes)]
    return [kl.assume(kl.Dense(x @ x.conj().T), "psd") for x in parts]


def average(a, pi):
    if pi is None:
        return 1.0
    if pi == "spectral":
        return np.linalg.norm(a, 2)
    return np.trace(a).real / len(a) if pi == "trace" else np.linalg.norm(a) / len(a) ** 0.5


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize(("sharing", "ending"), [("expand", "exp"), ("reduce", "red")])
@pytest.mark.parametrize(("pi", "key"), [("trace", "pi"), (None, "sqrt")])
@pytest.mark.parametrize("lam", DAMPINGS)
def test_reference_steps(name, sharing, ending, pi, key, lam):
    data = reference(name)
    damped = kl.factored_damping(kl.kfac(layers_of(data), sharing), float(lam), pi)
    tolerance = 1e-12 + 1e-14 * np.linalg.cond(damped.to_dense())
    close(damped.solve(data["grad"]), data[f"kfac_{ending}_{key}_{lam}"], tolerance)


@PI
@given(sizes=st.tuples(st.integers(2, 4), st.integers(2, 4)), lam=st.floats(1e-3, 10), seed=st.integers(0, 99))
def test_definition(pi, sizes, lam, seed):
    G, A = psd(*sizes, seed=seed)
    found = kl.factored_damping(kl.Kronecker(G, A), lam, pi)
    g, a = G.to_dense(), A.to_dense()
    ratio = (average(a, pi) / average(g, pi)) ** 0.5
    shifted = (g + lam**0.5 / ratio * np.eye(len(g)), a + ratio * lam**0.5 * np.eye(len(a)))
    close(found.to_dense(), np.kron(*shifted), 1e-13)
    assert type(found) is kl.Kronecker
    assert found.is_pd is True
    assert type(found.inverse()) is kl.Kronecker


@PI
@given(sizes=st.lists(st.integers(1, 3), min_size=1, max_size=3), lam=st.floats(1e-3, 10), seed=st.integers(0, 99))
def test_is_at_least_the_exact_damping(pi, sizes, lam, seed):
    """In the order of Loewner, for any number of factors."""
    K = kl.Kronecker(*psd(*sizes, seed=seed))
    more = kl.factored_damping(K, lam, pi).to_dense() - K.damped(lam).to_dense()
    assert np.linalg.eigvalsh(more)[0] >= -1e-12 * (lam + float(K.norm()))


@BALANCED
@given(sizes=st.lists(st.integers(1, 3), min_size=2, max_size=3), c=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_depends_on_the_product_only(pi, sizes, c, seed):
    factors, lam = psd(*sizes, seed=seed), 0.3
    K = kl.factored_damping(kl.Kronecker(*factors), lam, pi).to_dense()
    moved = kl.Kronecker(c * factors[0], factors[1] / c, *factors[2:])
    close(kl.factored_damping(moved, lam, pi).to_dense(), K, 1e-11)
    scaled = kl.Kronecker(c * factors[0], *factors[1:])
    close(kl.factored_damping(scaled, c * lam, pi).to_dense(), c * K, 1e-11)
    multiple = kl.factored_damping(Scaled(kl.Kronecker(*factors), factor=c), c * lam, pi)
    close(multiple.to_dense(), c * K, 1e-11)


def test_without_balance_it_depends_on_the_factors():
    G, A = psd(2, 3)
    one, two = (kl.factored_damping(kl.Kronecker(4 * c * G, A / c), 1.0, None).to_dense() for c in (1, 4))
    assert np.linalg.norm(one - two) > 0.1 * np.linalg.norm(one)


@BALANCED
def test_a_factor_of_one_entry_is_a_number(pi):
    """It takes no damping: what is left is exact."""
    (A,) = psd(3)
    for order in (1, -1):
        K = kl.Kronecker(*[kl.assume(kl.Dense(np.array([[2.0]])), "psd"), A][::order])
        close(kl.factored_damping(K, 0.1, pi).to_dense(), K.damped(0.1).to_dense(), 1e-14)
    ones = kl.Kronecker(np.array([[2.0]]), np.array([[3.0]]))
    assert kl.factored_damping(ones, 0.1, pi).to_dense()[0, 0] >= 6.1


@PI
def test_zero_factors(pi):
    """A dead layer: √λ I for both factors, so λ I if both are zero."""
    (A,) = psd(3)
    zero = kl.assume(kl.Dense(np.zeros((2, 2))), "psd")
    found = kl.factored_damping(kl.Kronecker(zero, A), 0.25, pi)
    close(found.to_dense(), np.kron(0.5 * np.eye(2), A.to_dense() + 0.5 * np.eye(3)), 1e-15)
    close(kl.factored_damping(kl.Kronecker(zero, zero), 0.25, pi).to_dense(), 0.25 * np.eye(4), 1e-15)


@PI
def test_no_damping(pi):
    K = kl.Kronecker(*psd(2, 3))
    close(kl.factored_damping(K, 0, pi).to_dense(), K.to_dense(), 1e-15)


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_extreme_scales(scale):
    """One factor far above, one far below: no overflow on the way."""
    G, A = positive(2), positive(3, seed=1)
    found = kl.factored_damping(kl.Kronecker(scale * G, A / scale), 0.1)
    close(found.to_dense(), kl.factored_damping(kl.Kronecker(G, A), 0.1).to_dense(), 1e-13)


@each_dtype()
def test_every_library(lib, dtype):
    factors = [positive(n, dtype, n) for n in (2, 3)]
    K = kl.Kronecker(*(kl.assume(kl.Dense(lib.asarray(x)), "psd") for x in factors))
    found = kl.factored_damping(K, 0.1)
    assert found.kind == K.kind
    expected = kl.factored_damping(kl.Kronecker(*map(wide, factors)), 0.1)
    b = normal((6,), dtype)
    y = found.solve(lib.asarray(b))
    assert lib.owns(y)
    close(lib.numpy(y), expected.solve(wide(b)), 1e3 * eps(dtype))


def test_block_by_block():
    layers = random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)], 2)
    K = kl.kfac(layers)
    same, each = kl.factored_damping(K, 0.1), kl.factored_damping(K, [0.1, 0.2, np.float64(0.3)])
    assert type(same) is type(each) is kl.BlockDiagonal
    assert same.members == each.members == K.members
    assert all(type(bucket) is kl.Kronecker for bucket in each.buckets)
    for found, lams in ((same, [0.1] * 3), (each, [0.1, 0.2, 0.3])):
        for block, one, lam in zip(found.blocks, K.blocks, lams, strict=True):
            close(block.to_dense(), kl.factored_damping(one, lam).to_dense(), 1e-15)
    nested = kl.BlockDiagonal.of_blocks([K, K.blocks[0]])
    close(kl.factored_damping(nested, 0.1).blocks[0].to_dense(), same.to_dense(), 1e-15)


@pytest.mark.parametrize("make", [lambda layers: kl.kpsvd(layers, 2), kl.kfac_corrected], ids=["rank 2", "corrected"])
def test_two_terms_keep_an_inverse(make, monkeypatch):
    """Exactly damped they have three terms and no such inverse: the error names this function."""
    layers = random_layers(np.random.default_rng(0), 30, 1, [(3, 2), (2, 3)])
    F = make(layers)
    damped = kl.factored_damping(F, 0.5)
    expected = []
    for block, one in zip(damped.blocks, F.blocks, strict=True):
        assert type(block) is Sum
        assert block.terms[0].is_pd is True
        close(block.terms[0].to_dense(), kl.factored_damping(one.terms[0], 0.5).to_dense(), 1e-15)
        close(block.terms[1].to_dense(), one.terms[1].to_dense(), 1e-15)
        expected.append(block.to_dense())
    b = np.arange(12.0)
    close(damped.solve(b), np.linalg.solve(damped.to_dense(), b), 1e-11)
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 5)
    assert all(type(block.inverse()) is Congruence for block in damped.blocks)
    for block in (F.damped(0.5).blocks[0], F.blocks[0].terms[1] - F.blocks[0].terms[0]):
        with pytest.raises(ValueError, match=r"kronlin\.factored_damping\(A, lam\).*kronlin\.cg\(A, b\)"):
            block.solve(np.ones(6))


def test_the_first_psd_product_of_a_sum_is_damped():
    first, second, third = (
        kl.Kronecker(*psd(2, 3)),
        kl.Kronecker(normal((2, 2)), normal((3, 3))),
        2 * kl.Identity(6, dtype="float64"),
    )
    found = kl.factored_damping(Sum(third, second, Scaled(first, factor=2.0)), 0.1)
    assert [type(term) for term in found.terms] == [Scaled, kl.Kronecker, Scaled]
    close(found.terms[2].to_dense(), kl.factored_damping(2 * first, 0.1).to_dense(), 1e-15)


@pytest.mark.parametrize(
    ("F", "lam", "pi", "match"),
    [
        (np.eye(2), -1.0, "trace", "not negative, not -1"),
        (np.eye(2), float("nan"), "trace", "damping must be a finite number"),
        (np.eye(2), "much", "trace", "damping must be a finite number"),
        (np.eye(2), 1.0, "norm", "unknown pi 'norm': choose one of 'trace', 'frobenius', 'spectral', None"),
        (np.eye(2), 1.0, "trace", r"Dense.* no Kronecker product.*F\.damped\(lam\).*assume"),
        (-kl.Kronecker(np.eye(2), np.eye(2)), 1.0, "trace", "no Kronecker product"),
        (kl.Kronecker(np.ones((1, 2)), np.ones((2, 1))), 1.0, "trace", "a factor that is not square"),
        (kl.Kronecker(-np.eye(2), -np.eye(2)), 1.0, "trace", "only psd ones can be damped"),
        (kl.BlockDiagonal([kl.Kronecker(np.eye(2), np.eye(2))]), [1.0, 2.0], "trace", "2 entries for 1 blocks"),
    ],
)
def test_arguments_are_checked(F, lam, pi, match):
    with pytest.raises(ValueError, match=match):
        kl.factored_damping(F, lam, pi)
