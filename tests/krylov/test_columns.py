"""Columns that are done leave a large block, and nothing of the result changes but rounding."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.krylov import cg, deflated_cg

N = 2**14
D = np.linspace(1.0, 400.0, N)


def sides():
    """Columns in 1, 2, …, 6 eigenvectors, so that so many steps solve them; the zero column; one with all."""
    b = np.zeros((N, 8))
    for j in range(6):
        b[:: N // (j + 1), j] = 1.0
    b[:, 7] = np.random.default_rng(0).standard_normal(N)
    return b


def counted(widths):
    def product(x):
        widths.append(x.shape[1])
        return D[:, None] * x

    return kl.assume(kl.Function(product, shape=(N, N), dtype="float64"), "pd")


def alike(one, other):
    np.testing.assert_allclose(one.x, other.x, atol=1e-11)
    np.testing.assert_array_equal(one.column_iterations, other.column_iterations)
    np.testing.assert_allclose(one.residuals, other.residuals, atol=1e-9)
    np.testing.assert_array_equal(one.converged, other.converged)
    assert one.iterations == other.iterations


@pytest.mark.parametrize("check_every", [1, 3])
def test_products_carry_only_the_columns_that_are_left(check_every):
    widths = []
    result = cg(counted(widths), sides(), rtol=1e-8, check_every=check_every)
    assert result.converged.all()
    assert widths[0] == widths[-1] == 8, "all at the start, and for the last residual"
    assert widths[-2] == 1
    assert sorted(widths[:-1], reverse=True) == widths[:-1]
    assert sum(widths[:-1]) <= result.column_iterations.sum() + 8 * (result.iterations * 0.25 + check_every + 1)
    alike(result, cg(counted([]), sides(), rtol=1e-8, check_every=check_every, callback=lambda x: None))


def test_a_callback_or_a_window_sees_all_columns():
    for options in ({"callback": lambda x: None}, {"recycle": 2}):
        widths = []
        cg(counted(widths), sides(), rtol=1e-8, **options)
        assert set(widths) == {8}


def test_small_blocks_keep_their_columns():
    widths = []

    def product(x):
        widths.append(x.shape[1])
        return D[:100, None] * x

    cg(kl.assume(kl.Function(product, shape=(100, 100), dtype="float64"), "pd"), sides()[:100] + np.eye(100, 8))
    assert set(widths) == {8}


@pytest.mark.parametrize("scheme", ["DEF1", "DEF2", "A-DEF2", "R-BNN1", "R-BNN2"])
def test_deflated_columns_leave_too(scheme):
    Z, found = np.eye(N, 3), []
    for options in ({}, {"callback": lambda x: None}):
        widths = []
        found.append(deflated_cg(counted(widths), sides(), Z, scheme=scheme, rtol=1e-8, **options))
        assert (min(widths) == 1) is (not options)
    alike(*found)


def test_a_column_that_breaks_down_is_told_by_its_own_number():
    d = D.copy()
    d[1] = -1.0
    b = sides()
    b[:, 3] = 0.0
    b[1, 3] = 1e-3
    indefinite = kl.Diagonal(d)
    result = cg(kl.Function(lambda x: indefinite @ x, shape=(N, N), dtype="float64"), b, rtol=1e-8)
    assert result.info == -1
    assert result.status.endswith("at step 0 in column 3")
    assert not result.converged[3]
    assert result.converged[[0, 1, 2, 4, 5, 6]].all()
    assert np.isfinite(result.x).all()


def test_maxiter_ends_a_narrowed_run_too():
    result = cg(counted([]), sides(), rtol=1e-12, maxiter=9)
    assert result.iterations == 9
    assert result.residuals.shape == (10, 8)
    assert result.converged.sum() == 7
