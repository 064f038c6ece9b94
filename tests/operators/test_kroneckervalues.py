"""The numbers of a Kronecker product come from its factors, whatever their sizes."""

from functools import reduce

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import rules
from kronlin.operators import fallback
from kronlin.testing import check_operator
from tests.matrices import each_dtype, normal, positive
from tests.operators.laws import close


@pytest.mark.parametrize("shapes", [[(2, 3), (3, 2)], [(3, 2), (2, 2), (2, 3)], [(1, 2), (4, 2)]], ids=str)
@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_a_square_whole_of_factors_that_are_not_square(shapes, dtype):
    factors = [normal(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    op, dense = kl.Kronecker(*factors), reduce(np.kron, factors)
    check_operator(op, dense)
    for ask in (op.inverse, lambda: op.solve(np.ones(op.shape[0], dtype))):
        with pytest.raises(kl.SingularMatrixError, match=r"factors that are not square .* A\.damped"):
            ask()
    assert op.slogdet() == (0, -np.inf)


def test_their_diagonal_needs_no_large_matrix(monkeypatch):
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 5)
    a, b = normal((2, 3)), normal((3, 2))
    op = kl.Kronecker(a, b)
    close(op.diagonal(), np.diagonal(np.kron(a, b)), 1e-15)
    close(op.trace(), np.trace(np.kron(a, b)), 1e-15)
    close(kl.BlockDiagonal([op, op]).trace(), 2 * np.trace(np.kron(a, b)), 1e-15)


@pytest.mark.parametrize(
    "exponents", [(150, -150), (160, 160, -300), (-300, 160, 160), (-200, -200, 300, 120)], ids=str
)
def test_factors_of_extreme_size_do_not_overflow(exponents):
    sizes = (2, 3, 2, 2)[: len(exponents)]
    k = kl.Kronecker(*(kl.Dense(10.0**e * positive(n)) for e, n in zip(exponents, sizes, strict=True)))
    dense = reduce(np.kron, map(positive, sizes)) * 10.0 ** sum(exponents)
    assert k.trace() == pytest.approx(np.trace(dense), rel=1e-13)
    assert k.norm() == pytest.approx(np.linalg.norm(dense), rel=1e-13)
    assert k.logdet() == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-11)
    np.testing.assert_allclose(k.diagonal(), np.diagonal(dense), rtol=1e-13)
    np.testing.assert_allclose(k.to_dense(), dense, atol=1e-13 * abs(dense).max())
    np.testing.assert_allclose(k.eigvalsh(), np.linalg.eigvalsh(dense), atol=1e-13 * abs(dense).max())
    if sum(exponents) == 0:
        close(k.damped(1.0).to_dense(), dense + np.eye(len(dense)))


def test_the_sign_of_a_complex_determinant_is_raised_to_the_other_size():
    phase = np.exp(2j)
    k = kl.Kronecker(kl.Diagonal(np.array([phase, 1.0])), kl.Identity(500, dtype="complex128"))
    sign, logarithm = k.slogdet()
    assert abs(sign - phase**500) < 1e-12
    assert logarithm == pytest.approx(0, abs=1e-12)
    sign, logarithm = kl.Kronecker(np.zeros((2, 2)), np.zeros((0, 0))).slogdet()
    assert (sign, logarithm) == (1, 0)


@each_dtype(("float32", "complex128"))
def test_gram_of_kronecker_products(lib, dtype):
    """Factor by factor where the rows are cut alike, by products where they are not."""
    arrays = [normal(shape, dtype, seed) for seed, shape in enumerate([(3, 2), (2, 4), (3, 1), (2, 3), (2, 1), (3, 2)])]
    one, two, other = (kl.Kronecker(*map(lib.asarray, pair)) for pair in (arrays[:2], arrays[2:4], arrays[4:]))
    wanted = [np.kron(*pair) for pair in (arrays[:2], arrays[2:4], arrays[4:])]
    for right, matrix in ((two, wanted[1]), (other, wanted[2])):
        gram = rules.gram(one, right)
        assert lib.owns(gram)
        close(lib.numpy(gram), wanted[0].conj().T @ matrix, 1e-5 if dtype == "float32" else 1e-12)


def test_the_gram_of_wide_aggregates_forms_nothing_of_their_size(monkeypatch):
    rows = kl.Kronecker(kl.Identity(3, dtype="float64"), np.ones((4, 1)))
    monkeypatch.setattr(kl.Kronecker, "_matmat", None)
    close(rules.gram(rows, rows), 4 * np.eye(3))
