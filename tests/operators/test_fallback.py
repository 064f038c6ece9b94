"""The dense method where no rule keeps the structure, and the advice above its size."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import rules
from kronlin.operators import fallback
from tests.algebra.bare import bare
from tests.matrices import positive
from tests.operators.laws import close


def hidden(a):
    """A matrix that only its products show."""
    return kl.assume(kl.Function(lambda x: a @ x, shape=a.shape, dtype="float64"), "pd")


def test_small_operators_are_made_dense():
    a = positive(6)
    op = hidden(a)
    close(op.inverse().to_dense(), np.linalg.inv(a), rtol=1e-11)
    close(op.solve(np.ones(6)), np.linalg.solve(a, np.ones(6)), rtol=1e-11)
    close(op.eigvalsh(), np.linalg.eigvalsh(a))
    close(op.power(0.5).to_dense() @ op.power(0.5).to_dense(), a)
    close(op.diagonal(), np.diag(a))
    close(op.trace(), np.trace(a))
    close(op.norm(), np.linalg.norm(a))
    close(op.logdet(), np.linalg.slogdet(a)[1])
    close(op.pinv().to_dense(), np.linalg.inv(a), rtol=1e-11)
    assert type(op.eigh()) is kl.Spectral


@pytest.mark.parametrize("ask", ["inverse", "eigh", "diagonal", "norm", "logdet", "trace"])
def test_above_the_limit_the_error_names_the_size_and_the_iterative_call(ask, monkeypatch):
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 5)
    with pytest.raises(ValueError, match=r"6×6 is above the limit of 5 .* kronlin\.cg\(A, b\)"):
        getattr(hidden(positive(6)), ask)()


@pytest.mark.parametrize(("rows", "columns"), [(4, 6), (6, 4)])
def test_a_gram_matrix_a_few_columns_at_a_time(rows, columns):
    (a, one), (b, two) = bare((9, rows), dtype="complex128"), bare((9, columns), dtype="complex128", seed=1)
    with kl.memory_limit(2 * 16 * 3 * 9 * 2):  # three columns
        close(rules.gram(a, b), one.conj().T @ two)


@pytest.mark.parametrize("shape", [(9, 2), (2, 9)])
def test_the_norm_of_a_narrow_operator_needs_a_few_columns_at_a_time(shape, monkeypatch):
    op, dense = bare(shape)
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 2)
    with kl.memory_limit(1):
        close(op.norm(), np.linalg.norm(dense))
