"""BlockDiagonal: equal blocks in one bucket, each rule once a bucket."""

import sys

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import rules
from tests.matrices import each_dtype, normal, positive
from tests.operators.laws import check, close


@each_dtype()
def test_laws_of_rectangular_blocks(lib, dtype):
    blocks = [normal((2, 3), dtype), normal((1, 2), dtype, 1), normal((2, 3), dtype, 2)]
    check(kl.BlockDiagonal(map(lib.asarray, blocks)), scipy.linalg.block_diag(*blocks), lib)


@each_dtype(("float32", "float64", "complex128"))
def test_laws_of_kronecker_blocks(lib, dtype):
    sizes = [(2, 2), (1, 3), (2, 2)]
    factors = [(positive(m, dtype, i), positive(n, dtype, 10 + i)) for i, (m, n) in enumerate(sizes)]
    blocks = [kl.Kronecker(*(kl.assume(kl.Dense(lib.asarray(x)), "pd") for x in pair)) for pair in factors]
    op, dense = kl.BlockDiagonal(blocks), scipy.linalg.block_diag(*(np.kron(*pair) for pair in factors))
    assert (op.is_pd, op.members) == (True, ((0, 2), (1,)))
    check(op, dense, lib)
    check(op.damped(0.2).inverse(), np.linalg.inv(dense + 0.2 * np.eye(len(dense))).astype(dtype), lib)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=7), st.integers(0, 99))
def test_the_order_of_blocks_is_kept(kinds, seed):
    shapes = [(2, 2), (1, 3), (3, 1)]
    blocks = [normal(shapes[i], seed=seed + place) for place, i in enumerate(kinds)]
    op, dense = kl.BlockDiagonal(blocks), scipy.linalg.block_diag(*blocks)
    x = normal((dense.shape[1], 2), seed=seed)
    np.testing.assert_allclose(op @ x, dense @ x, atol=1e-12)
    np.testing.assert_allclose(op.H @ (op @ x), dense.T @ dense @ x, atol=1e-11)
    for block, array in zip(op.blocks, blocks, strict=True):
        np.testing.assert_array_equal(block.to_dense(), array)
    assert len(op.buckets) == len(set(kinds))


def test_equal_blocks_run_as_one_call(monkeypatch):
    import kronlin.operators.spectral as module

    calls, real = [], module.eigh
    monkeypatch.setattr(module, "eigh", lambda a: calls.append(a.shape) or real(a))
    blocks = [kl.Kronecker(positive(3, seed=i), positive(2, seed=i + 100)) for i in range(64)]
    op = kl.BlockDiagonal(blocks)
    assert len(op.buckets) == 1
    op.damped(0.1)
    op.damped(1.0)
    assert calls == [(64, 3, 3), (64, 2, 2)]


def test_a_determinant_asks_every_bucket_once(monkeypatch):
    calls, real = [], kl.Spectral.slogdet
    op = kl.BlockDiagonal([kl.Kronecker(positive(n), positive(2)) for n in (3, 4, 3)]).damped(0.1)
    expected = np.linalg.slogdet(op.to_dense())[1]
    monkeypatch.setattr(kl.Spectral, "slogdet", lambda a: calls.append(a.shape) or real(a))
    assert op.logdet() == pytest.approx(expected)
    assert calls == [(6, 6), (8, 8)]


def test_result_types():
    k = kl.BlockDiagonal([kl.Kronecker(positive(2), positive(3)), kl.Kronecker(positive(3), positive(2))])
    for op in (k @ k, k + k, 2 * k, k.H, k.inverse(), k.pinv(), k.damped(1.0)):
        assert type(op) is kl.BlockDiagonal
    assert [type(block) for block in k.damped(1.0).blocks] == [kl.Spectral] * 2
    assert [type(block) for block in (k @ k).blocks] == [kl.Kronecker] * 2
    assert type(k.eigh()) is kl.Spectral
    assert len(kl.BlockDiagonal([k, np.eye(2)]).blocks) == 3
    stack = kl.VStack([normal((6, 2)), normal((6, 2), seed=1)])
    assert type(k @ stack) is kl.VStack
    assert type(stack.H @ k) is kl.HStack


@each_dtype(("float32", "complex128"))
@pytest.mark.parametrize("widths", [(1, 1, 1, 1), (1, 1, 2, 1)])
def test_a_stack_of_equal_operators_and_equal_blocks_multiply_in_one_call(lib, dtype, widths, monkeypatch):
    """[A₁ᴴ B₁ A₂ᴴ B₂ …] with the columns back in their order; block by block where the buckets differ."""
    rows = (2, 3, 2, 2)
    tall = [normal((m, 4), dtype, i) for i, m in enumerate(rows)]
    blocks = [normal((m, k), dtype, 9 + i) for i, (m, k) in enumerate(zip(rows, widths, strict=True))]
    stack, diagonal = kl.VStack(map(lib.asarray, tall)), kl.BlockDiagonal(map(lib.asarray, blocks))
    calls, rule = [], type(rules.gram).__call__

    def counted(self, *arguments):
        calls.extend([arguments[0].shape[0]] if self is rules.gram else [])
        return rule(self, *arguments)

    monkeypatch.setattr(type(rules.gram), "__call__", counted)
    found = lib.numpy(rules.gram(stack, diagonal))
    close(found, np.concatenate(tall).conj().T @ scipy.linalg.block_diag(*blocks), 1e-5)
    assert calls == ([9, 2, 3] if set(widths) == {1} else [9, 2, 3, 2, 2])


def test_blocks_sorted_otherwise_are_joined_block_by_block():
    one = kl.BlockDiagonal([np.eye(2), kl.Diagonal(np.ones(2))])
    two = kl.BlockDiagonal([2 * np.eye(2), 3 * np.eye(2)])
    close((one @ two).to_dense(), np.diag([2.0, 2.0, 3.0, 3.0]))
    close((one + two).to_dense(), np.diag([3.0, 3.0, 4.0, 4.0]))
    close(rules.gram(one, two), np.diag([2.0, 2.0, 3.0, 3.0]))


def test_other_partitions_stay_lazy_and_right():
    one, two = kl.BlockDiagonal([np.eye(2), normal((1, 1))]), kl.BlockDiagonal([normal((1, 1)), np.eye(2)])
    close((one @ two).to_dense(), one.to_dense() @ two.to_dense())
    close((one + two).to_dense(), one.to_dense() + two.to_dense())
    close(rules.gram(one, two), one.to_dense().T @ two.to_dense())


def test_repr_shows_the_structure():
    blocks = [kl.Kronecker(np.eye(2), np.eye(3)), kl.Kronecker(np.eye(3), np.eye(2)), np.eye(2)]
    text = repr(kl.assume(kl.BlockDiagonal(blocks), "pd"))
    assert text == "BlockDiagonal(14×14, float64, pd: Kronecker(2×2 ⊗ 3×3), Kronecker(3×3 ⊗ 2×2), …)"


def test_bad_input():
    with pytest.raises(ValueError, match="at least one block"):
        kl.BlockDiagonal([])
    with pytest.raises(ValueError, match="mixes numpy float64 with numpy float32"):
        kl.BlockDiagonal([np.eye(2), np.eye(2, dtype="float32")])


def calls_of(function):
    """How many functions, of Python and of C, a call runs."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("k", [1, 16])
@pytest.mark.parametrize(
    "of", [lambda op: op, lambda op: op.H, lambda op: op.damped(0.1).inverse()], ids=["", "H", "w"]
)
def test_the_work_in_python_does_not_grow_with_the_number_of_equal_blocks(of, k):
    """After a first call nothing is made a block: an application runs as many calls for 512 blocks as for 8."""
    counts = []
    for blocks in (8, 512):
        first = kl.Kronecker(positive(5), positive(7, seed=1))
        pairs = [(positive(3, seed=i), positive(4, seed=i + 1)) for i in range(blocks)]
        op = of(kl.BlockDiagonal([first, *(kl.Kronecker(*pair) for pair in pairs)]))
        x = normal((op.shape[1], k))
        op @ x
        counts.append(calls_of(lambda op=op, x=x: op @ x))
    assert counts[0] == counts[1]
