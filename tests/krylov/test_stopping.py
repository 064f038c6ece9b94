"""When a column rests, and what the result says then."""

import numpy as np
import pytest
from scipy.sparse.linalg import cg as scipy_cg

import kronlin as kl
from kronlin.krylov import cg
from tests.krylov.systems import with_spectrum
from tests.libraries import STRICT_DEVICE

A = with_spectrum(np.logspace(0, 3, 40), seed=3)
RANDOM = np.random.default_rng(0)
B = RANDOM.standard_normal((40, 5)) * np.array([1.0, 1e-8, 0.0, 1e12, 1.0])
B[:, 4] = np.linalg.eigh(A)[1][:, 7]


def true_residuals(x, b):
    return np.linalg.norm(b - A @ x, axis=0)


@pytest.mark.parametrize(("rtol", "atol"), [(1e-5, 0.0), (1e-9, 0.0), (0.0, 1e-3), (1e-12, 10.0), (1e-3, 1e-8)])
def test_tolerances_mean_what_scipy_means(rtol, atol):
    b = B[:, 0]
    result = cg(A, b, rtol=rtol, atol=atol)
    steps = []
    x, info = scipy_cg(A, b, rtol=rtol, atol=atol, callback=steps.append)
    assert result.info == info == 0
    assert abs(result.iterations - len(steps)) <= 1
    np.testing.assert_allclose(result.x, x, atol=1e-8 * np.linalg.norm(x))
    assert true_residuals(result.x, b) <= max(rtol * np.linalg.norm(b), atol)


def test_columns_stop_on_their_own():
    result = cg(A, B, rtol=1e-8)
    alone = [cg(A, column, rtol=1e-8) for column in B.T]
    for column, single in enumerate(alone):
        steps, first = single.iterations, single.residuals[:10, 0]
        np.testing.assert_allclose(result.residuals[: len(first), column], first, rtol=1e-6, atol=1e-12)
        # more steps than rows: the last few are decided by rounding, and so by the BLAS
        assert abs(result.column_iterations[column] - steps) <= 0.1 * steps
    assert result.column_iterations[2] == 0
    assert result.column_iterations[4] == 1
    assert result.iterations == result.column_iterations.max()
    assert result.residuals.shape == (result.iterations + 1, 5)
    assert result.converged.all()
    assert (true_residuals(result.x, B) <= 1e-8 * np.linalg.norm(B, axis=0)).all()
    np.testing.assert_array_equal(result.x[:, 2], 0)
    assert np.isfinite(result.residuals).all()


def test_says_which_column_did_not_converge():
    result = cg(A, B, rtol=1e-8, maxiter=5)
    np.testing.assert_array_equal(result.converged, [False, False, True, False, True])
    assert result.info == 5
    assert "3 of 5 columns did not converge" in result.status
    assert "(wanted 1.0e-08)" in result.status
    np.testing.assert_allclose(result.true_residual * np.linalg.norm(B, axis=0), true_residuals(result.x, B))


@pytest.mark.parametrize("check_every", [2, 7, 1000])
def test_result_does_not_depend_on_the_looks(check_every):
    often, seldom = cg(A, B), cg(A, B, check_every=check_every)
    np.testing.assert_array_equal(often.x, seldom.x)
    np.testing.assert_array_equal(often.residuals, seldom.residuals)
    np.testing.assert_array_equal(often.column_iterations, seldom.column_iterations)
    assert often.status == seldom.status


def test_reports_an_indefinite_operator():
    indefinite = kl.Dense(np.diag([1.0, 2.0, -3.0]))
    result = cg(indefinite, np.stack([np.array([1.0, 1.0, 1.0]), np.array([1.0, 0.0, 0.0])], axis=1))
    assert result.info == -1
    assert result.status.startswith("the operator is not positive definite: pᴴAp = ")
    assert result.status.endswith("at step 0 in column 0") or result.status.endswith("at step 1 in column 0")
    np.testing.assert_array_equal(result.converged, [False, True])
    assert np.isfinite(result.x).all()
    assert np.isfinite(result.true_residual).all()


def test_curvature_is_reported_in_the_units_of_b():
    b = np.array([0.0, 4096.0])
    result = cg(np.diag([1.0, -3.0]), b)
    assert f"pᴴAp = {-3.0 * 4096**2:.3g} ≤ 0 at step 0 in column 0" in result.status
    np.testing.assert_array_equal(result.x, 0)


def test_reports_an_indefinite_preconditioner():
    result = cg(np.eye(3), np.array([1.0, 1.0, 2.0]), M=np.diag([1.0, 1.0, -1.0]))
    assert result.info == -2
    assert result.status == "the preconditioner is not positive definite: rᴴMr = -2 ≤ 0 at step 0 in column 0"


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", ["A", "M"])
def test_never_returns_nan(place, value):
    calls = []

    def rotten(x):
        calls.append(1)
        return A @ x if len(calls) < 4 else np.full_like(x, value)

    broken = kl.assume(kl.Function(rotten, shape=A.shape, dtype="float64"), "pd")
    with np.errstate(invalid="ignore"):
        result = cg(broken, B[:, 0]) if place == "A" else cg(A, B[:, 0], M=broken)
    assert result.info == -3 if place == "M" else result.info in (-3, 2, 3)
    assert not result.converged.any()
    assert np.isfinite(result.x).all()
    if place == "M":
        assert "the preconditioner returned a value that is not finite" in result.status


def test_false_convergence_is_found_and_iterated_away():
    """An operator whose products are off for a while drives the recurrence away from the true residual."""
    calls = []

    def sloppy(x):
        calls.append(1)
        return A @ x * (1 + 1e-3 * (len(calls) == 5))

    operator = kl.assume(kl.Function(sloppy, shape=A.shape, dtype="float64"), "pd")
    result = cg(operator, B[:, 0], rtol=1e-10)
    assert result.converged.all()
    assert true_residuals(result.x, B[:, 0]) <= 1e-10 * np.linalg.norm(B[:, 0])
    history = result.residuals[:, 0]
    assert (history[1:] > 100 * history[:-1]).any(), "the recurrence was not deceived, so nothing was tested"


@pytest.mark.parametrize("place", ["A", "M"])
def test_a_rotten_column_does_not_spoil_its_neighbours(place):
    def rotten(x):
        good = A @ x[:, 0] if place == "A" else x[:, 0]
        return np.stack([good, np.full(40, np.nan if x.any() else 0.0)], axis=1)

    bad = kl.assume(kl.Function(rotten, shape=A.shape, dtype="float64"), "pd")
    b = np.stack([B[:, 0], B[:, 3]], axis=1)
    with np.errstate(invalid="ignore"):
        result = cg(bad, b, rtol=1e-8) if place == "A" else cg(A, b, M=bad, rtol=1e-8)
    assert result.info == -3
    np.testing.assert_array_equal(result.converged, [True, False])
    np.testing.assert_array_equal(result.x[:, 1], 0)
    assert np.isfinite(result.residuals).all()
    assert np.isfinite(result.x).all()


@pytest.mark.parametrize("rtol", [1e-30, 0.0])
def test_stops_where_rounding_allows_no_more(rtol):
    result = cg(A, B[:, 0], rtol=rtol)
    assert result.info > 0
    assert result.iterations < 400
    assert result.status.endswith("this is as far as rounding allows")
    assert result.true_residual[0] < 1e-12


def test_tiny_right_hand_sides_do_not_underflow():
    single = A.astype("float32")
    b = (B[:, 0] * 1e-25).astype("float32")
    result = cg(single, b, rtol=1e-4)
    assert result.converged.all()
    assert result.iterations > 10
    exact = np.linalg.solve(A, b.astype("float64"))
    assert np.linalg.norm(result.x - exact) < 1e-3 * np.linalg.norm(exact)


SOLVERS = {
    "cg": lambda A, b, **options: cg(A, b, M=A, **options),
    "minres": lambda A, b, **options: kl.minres(A, b, M=A, **options),
    "gmres": lambda A, b, **options: kl.gmres(A, b, M=A, **options),
    **{
        scheme: lambda A, b, scheme=scheme, **options: kl.deflated_cg(
            A, b, A.kind.eye(40)[:, :2], scheme=scheme, **options
        )
        for scheme in ("DEF1", "DEF2", "A-DEF2", "R-BNN1", "R-BNN2")
    },
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("columns", [1, 3])
def test_no_scalar_is_read_from_a_device_between_two_looks(monkeypatch, solver, columns):
    """As many reads in 8 steps as in 24, if both look once."""
    operator, reads = kl.Diagonal(STRICT_DEVICE.asarray(np.logspace(0, 4, 40))), []
    array, library = type(operator.kind.eye(1)), operator.kind.library
    for owner, names in (
        (array, ("__bool__", "__float__", "__int__", "__index__", "__complex__")),
        (library, ("to_numpy",)),
    ):
        for name in names:
            original = getattr(owner, name)
            monkeypatch.setattr(owner, name, lambda *x, call=original: reads.append(1) or call(*x))
    counts = []
    for steps in (8, 8, 24):  # the first one also reads what the operator keeps of itself
        reads.clear()
        b = STRICT_DEVICE.asarray(np.random.default_rng(0).standard_normal((40, columns)))
        result = SOLVERS[solver](operator, b, rtol=1e-14, maxiter=steps, check_every=steps)
        assert result.iterations == steps
        counts.append(len(reads))
    assert counts[1] == counts[2] > 0
