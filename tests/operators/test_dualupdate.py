"""DualUpdate: c I + U C Uᴴ solved with one product either way, and two where the terms cancel; nothing formed twice."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Sum, rules
from kronlin.operators.dualupdate import DualUpdate
from tests.libraries import NUMPY
from tests.matrices import DTYPES, each_dtype, eps, normal, wide
from tests.nets import random_layers
from tests.operators.laws import close
from tests.operators.updated import N, R, backward_error, core, sides, tall, updated


def made(lib, dtype, lam, middle="psd"):
    op, dense = updated(lib, "I", tall("Gaussian", dtype), core(middle, dtype), lam)
    op.solve(lib.asarray(np.ones(N, dtype)))
    update = op._kept("woodbury")
    assert type(update) is DualUpdate
    return op, update, dense


@each_dtype()
@pytest.mark.parametrize("middle", ["psd", "singular"])
def test_solution_inverse_and_determinant(lib, dtype, middle):
    op, update, dense = made(lib, dtype, 0.5, middle)
    for b in sides(tall("Gaussian", dtype), dtype).values():
        assert backward_error(dense, lib.numpy(op.solve(lib.asarray(b))), b, dtype) <= 5
    inverse, exact = op.inverse(), np.linalg.inv(dense)
    assert type(inverse) is Sum
    assert inverse.is_pd
    tolerance = 1e3 * eps(dtype)
    np.testing.assert_allclose(lib.numpy(inverse.to_dense()), exact, atol=tolerance * abs(exact).max())
    assert float(update.slogdet()[1]) == pytest.approx(np.linalg.slogdet(dense)[1], rel=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("share", [1.0, 1e-2, 1e-4, 1e-6, 0.0])
def test_no_digit_is_lost_however_near_to_the_range_of_u(dtype, share):
    u = tall("Gaussian", dtype)
    op, _, dense = made(NUMPY, dtype, 0.05)
    b = (u @ normal((R, 1), dtype, seed=8) + share * normal((N, 1), dtype, seed=9)).astype(dtype)
    both = np.concatenate([b, normal((N, 1), dtype, seed=10)], axis=1)
    for given in (b, both):
        assert backward_error(dense, op.solve(given), given, dtype) <= 5


@pytest.mark.parametrize("size", [1e-40, 1.0, 1e30])
def test_single_precision_of_any_size(size):
    op, _, dense = made(NUMPY, "float32", 0.5)
    b = (size * normal((N, 2))).astype("float32")
    x = op.solve(b)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()
    np.testing.assert_allclose(x, np.linalg.solve(dense, wide(b)), rtol=1e-3, atol=1e-5 * size + 1e-44)


class Counted(kl.Operator):
    """A tall matrix that counts its products."""

    def __init__(self, base):
        self.base, self.products, self.adjoints = base, 0, 0
        self._define(base, shape=base.shape)

    def _matmat(self, x):
        self.products += 1
        return self.base._matmat(x)

    def _rmatmat(self, y):
        self.adjoints += 1
        return self.base.H._matmat(y)


def test_a_solution_costs_one_product_either_way_and_two_where_terms_cancel(monkeypatch):
    u = normal((40, 3))
    root = Counted(kl.Dense(u))
    F = kl.LowRank(root)
    A = F.damped(0.1)
    A.solve(np.ones(40))
    grams = []
    monkeypatch.setattr(
        kl.LowRank, "_wide_gram", lambda self, real=kl.LowRank._wide_gram: grams.append(1) or real(self)
    )
    inversions, real = [], np.linalg.inv
    monkeypatch.setattr(np.linalg, "inv", lambda a: inversions.append(1) or real(a))
    for b, count in ((normal((40,), seed=1), 1), (normal((40, 5), seed=2), 1), (u @ np.ones(3), 2)):
        root.products = root.adjoints = 0
        x = A.solve(b)
        assert (root.products, root.adjoints) == (count, count)
        close(x, np.linalg.solve(u @ u.T + 0.1 * np.eye(40), b), rtol=1e-12)
    assert not grams
    assert not inversions
    inverse = A.inverse()
    root.products = root.adjoints = 0
    inverse @ np.ones(40)
    assert (root.products, root.adjoints) == (1, 1)


def test_a_new_damping_forms_no_gram_matrix(monkeypatch):
    layers = random_layers(np.random.default_rng(0), 4, 2, [(5, 4), (3, 6)])
    F = kl.fisher(layers)
    F.damped(0.5).solve(np.ones(38))
    monkeypatch.setattr(rules, "gram", None)
    monkeypatch.setattr(rules, "wide_gram", None)
    close(F.damped(0.1).solve(np.ones(38)), np.linalg.solve(F.to_dense() + 0.1 * np.eye(38), np.ones(38)), rtol=1e-12)


def test_how_many_corrections_are_worth_it():
    """(eps ‖N‖)^(k + 1) ≤ eps; beside a Gram matrix with digits to spare ‖N‖ (eps ‖N‖^½)^k ≤ 1, up to 1 / eps."""
    single, double = (kl.arrays.kind(np.ones(1, dtype)) for dtype in ("float32", "float64"))
    for size, steps in ((1e3, 1), (2e4, 2), (1e5, 3), (1e6, None)):
        assert DualUpdate.steps(np.full((1, 1), size, "float32"), single) == steps
    for size, steps in ((1e3, 1), (4e4, 1), (1e5, 2), (8e6, 2), (1e7, None)):
        assert DualUpdate.steps(np.full((1, 1), size), single) == steps
    assert DualUpdate.steps(np.full((2, 1, 1), 1e6), double) == 1


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("relative", [1e-3, 1e-4, 1e-5])
def test_single_precision_takes_the_small_inverse_where_half_of_the_digits_would_be_lost(dtype, relative, monkeypatch):
    u = normal((200, 8), dtype)
    lam = relative * float(np.linalg.norm(wide(u), 2) ** 2)
    monkeypatch.setattr(kl.LowRank, "eigh", None)
    op, dense = kl.LowRank(u).damped(lam), wide(u) @ wide(u).conj().T + lam * np.eye(200)
    for b in (normal((200, 2), dtype, seed=1), u @ normal((8, 2), dtype, seed=2)):
        x = op.solve(b)
        assert x.dtype == dtype
        assert backward_error(dense, x, b, dtype) <= 5
        assert np.linalg.norm(dense @ wide(x) - b) <= eps(dtype) / relative * np.linalg.norm(b)
    assert op._kept("woodbury").form == "inverse by LU"
