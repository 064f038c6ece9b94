"""SquaredModuli: real, formed a few columns at a time, and what stands in for a missing rule of modulus2."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import rules
from kronlin.arrays import kind
from kronlin.operators import fallback
from kronlin.operators.squaredmoduli import SquaredModuli
from tests.algebra.bare import Bare, bare
from tests.matrices import each_dtype, each_stack, eps, normal, wide
from tests.operators.laws import check


@each_dtype()
@pytest.mark.parametrize("shape", [(4, 3), (2, 4), (3, 3)])
def test_laws(lib, dtype, shape):
    op, dense = bare(shape, lib, dtype)
    squared = SquaredModuli(op)
    assert squared.kind == op.kind
    check(squared, np.abs(wide(dense)) ** 2, lib)


@each_stack()
def test_stacks(lib, dtype, batch):
    dense = normal((*batch, 4, 3), dtype)
    x = lib.asarray(normal((*batch, 3, 2), kind(lib.asarray(dense)).real.dtype_name))
    with kl.memory_limit(1):
        got = SquaredModuli(Bare(lib.asarray(dense)))._matmat(x)
    assert kind(got) == kind(x)
    got = lib.numpy(got)
    np.testing.assert_allclose(got, np.abs(wide(dense)) ** 2 @ wide(lib.numpy(x)), atol=100 * eps(dtype))


def test_it_is_the_general_rule_for_narrow_operators(monkeypatch):
    op, _ = bare((5, 2))
    assert type(rules.modulus2(op)) is SquaredModuli
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 1)
    with pytest.raises(ValueError, match="the squared moduli of Bare"):
        rules.modulus2(op)


def test_the_diagonal_of_a_spectral_whose_basis_is_a_product_stays_narrow(monkeypatch):
    u = normal((30, 2))
    op = kl.LowRank(u).eigh()
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 2)
    np.testing.assert_allclose(op.diagonal(), np.sum(u**2, axis=1), atol=1e-12)
