"""The rearrangement takes Kronecker products to matrices of rank one, whatever they are made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Scaled, Sum, rules
from kronlin.operators import fallback
from tests.algebra.bare import Bare
from tests.matrices import each_dtype, each_stack, normal
from tests.operators.laws import check, close

SHAPES = ((2, 3), (4, 2))


def by_definition(a, shapes):
    """Entry by entry."""
    (m1, n1), (m2, n2) = shapes
    R = np.empty((m1 * n1, m2 * n2), a.dtype)
    for i, j, p, q in np.ndindex(m1, n1, m2, n2):
        R[i * n1 + j, p * n2 + q] = a[i * m2 + p, j * n2 + q]
    return R


@each_stack()
def test_dense(lib, dtype, batch):
    a = normal((*batch, 8, 6), dtype)
    R = rules.rearrange(kl.Dense._make(lib.asarray(a)), SHAPES)
    assert type(R) is kl.Dense
    matrices = zip(lib.numpy(R.array).reshape(-1, 6, 8), a.reshape(-1, 8, 6), strict=True)
    assert all(np.array_equal(found, by_definition(matrix, SHAPES)) for found, matrix in matrices)


@each_dtype(["float32", "complex128"])
def test_kronecker(lib, dtype):
    G, B = normal((2, 3), dtype), normal((4, 2), dtype, 1)
    R = rules.rearrange(kl.Kronecker(lib.asarray(G), lib.asarray(B)), SHAPES)
    assert type(R) is kl.LowRank
    check(R, np.outer(G, B), lib)


@given(st.tuples(*[st.integers(1, 3)] * 4), st.sampled_from(["float64", "complex128"]), st.integers(0, 99))
def test_every_kind_of_expression(sizes, dtype, seed):
    m1, n1, m2, n2 = sizes
    G, B, C = (normal(s, dtype, seed) for s in ((m1, n1), (m2, n2), (m1 * m2, n1 * n2)))
    shapes, dense = ((m1, n1), (m2, n2)), np.kron(G, B) - 2 * C
    total = rules.rearrange(kl.Kronecker(G, B) + Scaled(Bare(C), factor=-2), shapes)
    close(total.to_dense(), by_definition(dense, shapes), 1e-13)
    assert total.norm() == pytest.approx(np.linalg.norm(dense), rel=1e-10, abs=1e-12)


def test_types():
    K = kl.Kronecker(normal((2, 3)), normal((4, 2)))
    assert type(rules.rearrange(K + K, SHAPES)) in (Sum, kl.LowRank)
    assert type(rules.rearrange(Scaled(Bare(normal((8, 6))), factor=3.0), SHAPES)) is kl.Dense
    assert type(rules.rearrange(K, ((4, 3), (2, 2)))) is kl.Dense
    close(rules.rearrange(K, ((4, 3), (2, 2))).array, by_definition(K.to_dense(), ((4, 3), (2, 2))), 1e-15)


def test_above_the_limit_the_error_says_so(monkeypatch):
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 7)
    with pytest.raises(ValueError, match=r"the rearrangement of .* no structured method"):
        rules.rearrange(Bare(normal((8, 6))), SHAPES)
