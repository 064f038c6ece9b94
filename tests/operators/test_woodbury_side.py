"""Which side a sum with a low-rank operator is solved on: the smaller one, and it says so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Sum
from tests.matrices import normal
from tests.nets import random_layers
from tests.operators.laws import close


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.1, 10), st.integers(0, 99))
def test_the_smaller_side_is_taken_and_told(n, r, lam, seed):
    op, b = kl.LowRank(normal((n, r), seed=seed)).damped(lam), normal((n,), seed=seed + 1)
    assert op.form is None
    close(op.solve(b), np.linalg.solve(op.to_dense(), b), rtol=1e-10)
    assert op.form == (f"dual {r}×{r}: inverse by LU" if r < n else f"primal {n}×{n}: dense")
    assert type(op.inverse()) is (Sum if r < n else kl.Dense)
    assert f"rank ≤ {r}" in str(kl.tree(op))
    assert op.form in str(kl.tree(op)).splitlines()[0]


@pytest.mark.parametrize(("n", "r"), [(7, 3), (3, 7)])
def test_nothing_of_the_larger_side_is_formed(n, r, monkeypatch):
    op, b = kl.LowRank(kl.KhatriRao(normal((1, r)), normal((n, r), seed=1))).damped(0.5), normal((n,), seed=2)
    wanted = np.linalg.solve(op.to_dense(), b)
    monkeypatch.setattr(kl.LowRank, "to_dense" if r < n else "_wide_gram", None)
    close(op.prepare().solve(b), wanted, rtol=1e-12)


def test_every_block_takes_its_own_side():
    """Three examples of four columns: layers of 4, 12 and 20 parameters beside 12 columns, and 36 in all."""
    layers = random_layers(np.random.default_rng(0), 3, 4, [(2, 2), (4, 3), (4, 5), (4, 5)], [1, 2, 1, 1])
    blocks, b = kl.block_diagonal_fisher(layers).damped(0.1), np.arange(56.0)
    close(blocks.solve(b), np.linalg.solve(blocks.to_dense(), b), rtol=1e-11)
    assert [bucket.form for bucket in blocks.buckets] == [
        "primal 4×4: dense",
        "primal 12×12: dense",
        "dual 12×12: inverse by LU",
    ]
    F = kl.fisher(layers).damped(0.1)
    close(F.solve(b), np.linalg.solve(F.to_dense(), b), rtol=1e-11)
    assert F.form == "dual 12×12: inverse by LU"
    text = str(kl.tree(blocks))
    assert all(bucket.form in text for bucket in blocks.buckets)


def test_the_form_for_small_damping_is_told():
    op = kl.LowRank(normal((8, 2))).damped(1e-12)
    op.solve(np.ones(8))
    assert op.form == "dual 2×2: eigenbasis"
