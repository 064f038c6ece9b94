"""BlockSubstitution: the inverse of a block triangular matrix of operators."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.operators.substitution import BlockSubstitution
from kronlin.testing import check_operator
from tests.matrices import each_dtype, normal
from tests.operators.laws import check, close


def triangular(sizes, upper, dtype="float64", lib=None):
    """A block triangular matrix with every second block off the diagonal, and its matrix."""
    make = lib.asarray if lib else np.asarray
    grid = [[None] * len(sizes) for _ in sizes]
    for i, m in enumerate(sizes):
        for j, n in enumerate(sizes):
            if i == j:
                grid[i][j] = normal((m, m), dtype, i) + 4 * np.eye(m, dtype=dtype)
            elif (j > i) is upper and (i + j) % 3:
                grid[i][j] = normal((m, n), dtype, 10 * i + j)
    op = kl.BlockMatrix([[None if block is None else make(block) for block in row] for row in grid])
    dense = np.block(
        [
            [np.zeros((m, n), dtype) if grid[i][j] is None else grid[i][j] for j, n in enumerate(sizes)]
            for i, m in enumerate(sizes)
        ]
    )
    return op, dense


@each_dtype()
def test_laws(lib, dtype):
    op, dense = triangular([2, 1, 2], True, dtype, lib)
    assert type(op.inverse()) is BlockSubstitution
    check(op.inverse(), np.linalg.inv(dense).astype(dtype), lib)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.booleans())
def test_laws_for_any_partition(sizes, upper):
    op, dense = triangular(sizes, upper)
    check_operator(op, dense)
    inverse = op.inverse()
    assert type(inverse) is BlockSubstitution
    check_operator(inverse, np.linalg.inv(dense))
    assert inverse.inverse() is op
    assert type(inverse.H) is BlockSubstitution
    assert inverse.H.inverse() is op.H


def test_the_adjoint_inverts_no_block_again(monkeypatch):
    import kronlin.operators.dense as module

    op, dense = triangular([2, 3], False)
    inverse = op.inverse()
    monkeypatch.setattr(module, "inverse_general", None)
    close(inverse.H @ np.ones(5), np.linalg.inv(dense).T @ np.ones(5))
    close(inverse.diagonal(), np.diagonal(np.linalg.inv(dense)))


def test_a_singular_block_is_named():
    op = kl.BlockMatrix([[np.eye(2), None], [np.ones((2, 2)), np.ones((2, 2))]])
    with pytest.raises(kl.SingularMatrixError, match="diagonal block 1 cannot be eliminated"):
        op.inverse()
    with pytest.raises(kl.SingularMatrixError, match="diagonal block 1"):
        op.solve(np.ones(4))


def test_bad_input():
    with pytest.raises(ValueError, match="not block triangular"):
        BlockSubstitution(kl.BlockMatrix([[np.eye(1), np.eye(1)], [np.eye(1), np.eye(1)]]))
    with pytest.raises(ValueError, match="not block triangular"):
        BlockSubstitution(kl.BlockMatrix([[np.ones((1, 2)), None], [None, np.ones((2, 1))]]))
