"""Gram matrices of Fisher roots: the same in every order of sums and in pieces of every size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import rules
from kronlin.curvature import FisherRoot, rootgram
from tests.libraries import NUMPY, eager
from tests.matrices import normal
from tests.memory import peak_of
from tests.nets import close, random_layers, root_by_definition

LIMITS = st.sampled_from([1, 300, 2000, 2**28])
SIZES = st.integers(1, 3)


def make(n, S, K, size, dtype="float64", seed=0, lib=NUMPY):
    layer = random_layers(np.random.default_rng(seed), n, K, [size], S, lib, dtype)[0]
    return FisherRoot(layer.inputs, layer.output_gradients), root_by_definition(layer, lib)


@given(*[st.tuples(st.integers(1, 4), SIZES, SIZES)] * 2, st.tuples(SIZES, SIZES), LIMITS, st.booleans())
def test_both_orders_in_pieces(one, two, size, limit, is_complex):
    dtype = "complex128" if is_complex else "float64"
    (a, left), (b, right) = make(*one, size, dtype), make(*two, size, dtype, 1)
    with kl.memory_limit(limit):
        for order in (rootgram._by_pairs, rootgram._by_columns, rules.gram):
            close(order(a, b), left.conj().T @ right)
            close(order(a, a), left.conj().T @ left)


@pytest.mark.parametrize("lib", eager(), ids=str)
@pytest.mark.parametrize("order", [rootgram._by_pairs, rootgram._by_columns])
def test_both_orders_on_every_library(lib, order):
    (a, left), (b, right) = make(3, 2, 2, (3, 2), "complex128", 0, lib), make(2, 1, 2, (3, 2), "complex128", 1, lib)
    for limit in (100, 2**28):
        with kl.memory_limit(limit):
            gram = order(a, b)
        assert lib.owns(gram)
        close(lib.numpy(gram), left.conj().T @ right)


@pytest.mark.parametrize(
    ("S", "size", "order"),
    [(1, (5, 4), "_by_pairs"), (2, (30, 30), "_by_pairs"), (8, (5, 4), "_by_columns"), (1, (1, 1), "_by_pairs")],
)
def test_the_cheaper_order_is_taken(S, size, order, monkeypatch):
    """With few positions the pairs of them, with many the columns: (n S)² (d_in + d_out) beside n² d_in d_out."""
    a, dense = make(6, S, 1, size)
    for other in {"_by_pairs", "_by_columns"} - {order}:
        monkeypatch.setattr(rootgram, other, None)
    close(rules.gram(a, a), dense.T @ dense)


@given(st.tuples(st.integers(1, 4), SIZES, SIZES), st.tuples(SIZES, SIZES), LIMITS)
def test_grams_with_products_in_pieces(one, size, limit):
    a, dense = make(*one, size)
    factors = [normal((d, 2), seed=d) for d in size]
    with kl.memory_limit(limit):
        for b in (kl.KhatriRao(*factors), kl.Kronecker(*factors)):
            close(rules.gram(a, b), dense.T @ b.to_dense())


@pytest.mark.parametrize("S", [1, 4, 30])
def test_the_peak_keeps_to_the_limit(S):
    """Columns would take 15 MB; pairs of positions 0.7 MB × S²."""
    a, _ = make(300, S, 1, (80, 80))
    whole, limit = rules.gram(a, a), 2**19
    with kl.memory_limit(limit):
        gram, peak = peak_of(lambda: rules.gram(a, a))
    close(gram, whole, 1e-13)
    assert peak < limit + 3 * gram.nbytes


@pytest.mark.parametrize("limit", [1, 2000, 2**28])
@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64"])
def test_in_double_precision(dtype, limit):
    root, columns = make(5, 2, 3, (4, 3), dtype)
    with kl.memory_limit(limit):
        found = rules.wide_gram(root)
    assert found.dtype == np.result_type(dtype, np.float64)
    wide = columns.astype(found.dtype)
    np.testing.assert_allclose(found, wide.conj().T @ wide, rtol=1e-5 if dtype != "float64" else 1e-12, atol=1e-6)
    exact = root.astype(found.dtype)
    np.testing.assert_allclose(found, rules.gram(exact, exact), rtol=1e-13, atol=1e-13)
