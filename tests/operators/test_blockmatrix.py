"""BlockMatrix: blocks where they stand, zeros that cost nothing, and what is known of the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Zero, rules
from kronlin.testing import check_operator
from tests.libraries import STRICT_DEVICE
from tests.matrices import each_dtype, hermitian, normal, positive
from tests.operators.laws import check, close


@each_dtype()
def test_laws(lib, dtype):
    parts = [[normal((2, 3), dtype, 1), normal((2, 1), dtype, 2)], [normal((1, 3), dtype, 3), normal((1, 1), dtype, 4)]]
    check(kl.BlockMatrix([[lib.asarray(part) for part in row] for row in parts]), np.block(parts), lib)


@each_dtype(("float32", "complex128"))
def test_laws_of_a_square_one_with_zeros(lib, dtype):
    a, b = normal((2, 2), dtype) + 3 * np.eye(2, dtype=dtype), normal((1, 2), dtype, 2)
    op = kl.BlockMatrix([[lib.asarray(a), None], [lib.asarray(b), 2 * kl.Identity(1, like=lib.asarray(a))]])
    check(op, np.block([[a, np.zeros((2, 1))], [b, 2 * np.ones((1, 1))]]).astype(dtype), lib)


sizes = st.lists(st.integers(1, 3), min_size=1, max_size=3)


@given(sizes, sizes, st.integers(0, 99), st.data())
def test_laws_for_any_partition(rows, columns, seed, data):
    rng = np.random.default_rng(seed)
    dense = np.zeros((sum(rows), sum(columns)))
    grid, top = [], 0
    for i, m in enumerate(rows):
        grid.append([])
        left = 0
        for j, n in enumerate(columns):
            full = i == 0 or j == 0 or data.draw(st.booleans())
            block = rng.integers(-8, 9, (m, n)) / 4 if full else None
            if full:
                dense[top : top + m, left : left + n] = block
            grid[-1].append(block)
            left += n
        top += m
    op = kl.BlockMatrix(grid)
    check_operator(op, dense)
    assert type(op.H) is type(op.T) is type(2 * op) is type(op + op) is kl.BlockMatrix
    assert type(op.damped(1.0)) is kl.BlockMatrix if rows == columns else True


def test_none_and_zero_stand_for_zero_operators():
    a, like = np.ones((2, 3)), np.zeros(1)
    op = kl.BlockMatrix([[a, 0], [None, np.ones((1, 1))], [Zero((2, 3), like=like), None]])
    assert [[type(block) for block in row] for row in op.blocks] == [
        [kl.Dense, Zero],
        [Zero, kl.Dense],
        [Zero, Zero],
    ]
    assert [block.shape for row in op.blocks for block in row] == [(2, 3), (2, 1), (1, 3), (1, 1), (2, 3), (2, 1)]
    check_operator(op, np.block([[a, np.zeros((2, 1))], [np.zeros((1, 3)), np.ones((1, 1))], [np.zeros((2, 4))]]))


def test_each_block_is_applied_once_and_zeros_never():
    calls = []

    def counted(name):
        return kl.Function(lambda x: calls.append((name, x.shape)) or x, shape=(2, 2), dtype="float64")

    op = kl.BlockMatrix([[counted("a"), counted("b")], [counted("c"), None]])
    op @ np.ones((4, 5))
    assert calls == [("a", (2, 5)), ("b", (2, 5)), ("c", (2, 5))]


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_self_adjointness_follows_from_blocks_that_are_adjoints_of_each_other(dtype):
    a, b, d = kl.Dense(positive(2, dtype)), kl.Dense(normal((2, 3), dtype)), kl.Dense(hermitian(3, dtype))
    op = kl.BlockMatrix([[a, b], [b.H, d]])
    assert (op.is_self_adjoint, op.is_psd) == (True, None)
    assert op.H is op
    for other in (2 * op, -op, op + op, op.damped(1.0), rules.conjugate(op), op.astype("complex128")):
        assert type(other) is kl.BlockMatrix
        assert other.is_self_adjoint is True
    check_operator(op, np.block([[a.to_dense(), b.to_dense()], [b.H.to_dense(), d.to_dense()]]))
    assert kl.BlockMatrix([[a, b], [normal((3, 2), dtype), d]]).is_self_adjoint is None
    assert kl.BlockMatrix([[a, None], [None, d]]).is_self_adjoint is True


def test_what_a_diagonal_block_lacks_the_whole_lacks():
    one = np.eye(1)
    assert kl.BlockMatrix([[one, one], [one, kl.Diagonal(-np.ones(1))]]).properties == (None, False, False)
    crooked = normal((2, 2))
    assert kl.BlockMatrix([[one, None], [None, crooked]]).is_self_adjoint is False
    assert kl.BlockMatrix([[np.eye(2), np.ones((2, 1))], [np.ones((1, 2)), None]]).is_pd is False


def test_multiples_and_sums_of_definite_ones_stay_definite():
    op = kl.assume(kl.BlockMatrix([[2 * np.eye(2), np.eye(2)], [np.eye(2), 2 * np.eye(2)]]), "pd")
    assert (3 * op).is_pd is (op + op).is_pd is op.damped(1.0).is_pd is True
    assert (-op).is_psd is False
    assert type(op.inverse().inverse()) is kl.BlockMatrix


def test_on_a_device_and_in_another_precision():
    op = kl.BlockMatrix([[np.eye(2), None], [np.ones((1, 2)), np.eye(1)]])
    moved = op.to(STRICT_DEVICE.asarray([0.0])).astype("float32")
    assert type(moved.blocks[0][1]) is Zero
    check_operator(moved, op.to_dense())


def test_a_large_one_is_never_formed():
    n = 10**5
    D, p = kl.Diagonal(np.full(n, 2.0)), kl.Permutation(np.arange(n)[::-1], dtype="float64")
    op, x = kl.BlockMatrix([[D, p], [None, D]]), normal((2 * n, 2))
    np.testing.assert_allclose(op @ x, np.vstack([2 * x[:n] + x[n:][::-1], 2 * x[n:]]))
    np.testing.assert_allclose(op @ op.solve(x), x, atol=1e-12)
    assert float(op.trace()) == 4 * n
    np.testing.assert_allclose(op.norm(), (8 * n + n) ** 0.5)
    np.testing.assert_allclose(op.logdet(), 2 * n * np.log(2))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "at least one row"),
        ([[]], "at least one row"),
        ([[np.ones((1, 1))], [np.ones((1, 1)), None]], "not 1, 2: write None"),
        ([[np.ones((1, 1)), np.ones((2, 1))]], "blocks of block row 0 have 1, 2 rows"),
        ([[np.ones((1, 1))], [np.ones((1, 2))]], "blocks of block column 0 have 1, 2 columns"),
        ([[np.ones((1, 1)), None], [None, None]], r"block row 1 holds nothing that tells its size: pass kronlin\.Zero"),
        ([[np.ones((1, 1)), None]], "block column 1 holds nothing"),
        ([[np.eye(1), np.eye(1, dtype="float32")]], "mixes numpy float64 with numpy float32"),
    ],
)
def test_bad_input(rows, message):
    with pytest.raises(ValueError, match=message):
        kl.BlockMatrix(rows)


def test_real_and_complex_blocks_meet():
    op = kl.BlockMatrix([[np.eye(1), 1j * np.eye(1)]])
    assert op.kind.is_complex
    close(op.to_dense(), np.array([[1, 1j]]))
