"""MINRES against dense solutions and SciPy: indefinite, singular, shifted, and what it reports."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import minres as scipy_minres

import kronlin as kl
from kronlin.krylov import minres
from tests.krylov.systems import NETS, check_solution, net, rotation, with_spectrum

VALUES = np.concatenate([-np.logspace(0, 2, 15), np.logspace(-1, 2, 25)])
A = with_spectrum(VALUES, seed=3)
RANDOM = np.random.default_rng(0)
B = RANDOM.standard_normal((40, 4)) * np.array([1.0, 1e-8, 0.0, 1e12])
M = with_spectrum(np.logspace(-1, 1, 40), seed=4)


@given(st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=8), st.integers(0, 3), st.booleans(), st.integers(0, 2**20))
def test_solves(exponents, columns, is_complex, seed):
    random = np.random.default_rng(seed)
    n = len(exponents)
    matrix = with_spectrum(10.0 ** np.array(exponents) * random.choice([-1, 1], n), seed, is_complex)
    b = random.standard_normal((n, columns) if columns else n)
    x0 = random.standard_normal(b.shape) if seed % 2 else None
    result = minres(matrix, b, x0, M=with_spectrum(np.linspace(1, 2, n), seed + 1) if seed % 3 else None, rtol=1e-10)
    assert result.converged.all(), result.status
    exact = np.linalg.solve(matrix, b)
    assert result.x.shape == b.shape
    assert np.linalg.norm(result.x - exact) <= 1e-9 * np.linalg.cond(matrix) * np.linalg.norm(exact) + 1e-13
    assert result.iterations <= 4 * n + 2


@pytest.mark.parametrize("preconditioner", [None, M])
def test_iterates_are_those_of_scipy(preconditioner):
    ours, theirs = [], []
    minres(A, B[:, 0], M=preconditioner, maxiter=15, rtol=0.0, callback=ours.append)
    scipy_minres(A, B[:, 0], M=preconditioner, maxiter=15, rtol=1e-15, callback=lambda x: theirs.append(x.copy()))
    assert len(ours) == 15
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)
    assert np.abs(np.diff(ours, axis=0)).max(axis=1).min() > 1e-6, "the iterates must differ for this to say anything"


@pytest.mark.parametrize("preconditioner", [None, M])
def test_residual_is_the_true_one(preconditioner):
    seen = []
    result = minres(A, B[:, 0], M=preconditioner, rtol=1e-8, callback=seen.append)
    true = np.linalg.norm(B[:, :1] - A @ np.stack(seen, axis=1), axis=0) / np.linalg.norm(B[:, 0])
    np.testing.assert_allclose(result.residuals[1:, 0], true, rtol=1e-4, atol=1e-11)
    assert result.info == 0
    np.testing.assert_array_equal(seen[-1], result.x)
    if preconditioner is None:
        assert (np.diff(result.residuals[:, 0]) <= 1e-14).all(), "it minimises the residual"


def test_finds_two_clusters_in_two_steps():
    assert minres(with_spectrum([-3.0] * 5 + [2.0] * 7), np.ones(12), rtol=1e-10).iterations == 2


def test_columns_share_products_and_stop_on_their_own():
    widths = []

    def product(x):
        widths.append(x.shape[1])
        return A @ x

    operator = kl.assume(kl.Function(product, shape=A.shape, dtype="float64"), "self-adjoint")
    result = minres(operator, B, rtol=1e-6)
    assert result.converged.all()
    assert set(widths) == {4}
    assert len(widths) == result.iterations + 2, "one product a step, two to check the end"
    assert result.column_iterations[2] == 0
    np.testing.assert_array_equal(result.x[:, 2], 0)
    alone = minres(A, B[:, 3], rtol=1e-6)
    # more steps than rows: the last few are decided by rounding, and so by the BLAS
    assert abs(result.column_iterations[3] - alone.iterations) <= 0.1 * alone.iterations
    seldom = minres(A, B, rtol=1e-6, check_every=7)
    np.testing.assert_array_equal(seldom.x, result.x)
    np.testing.assert_array_equal(seldom.residuals, result.residuals)


def test_consistent_singular_system():
    matrix = with_spectrum(np.concatenate([[0.0, 0.0, 0.0], [-2.0, -1.0], np.linspace(1, 9, 9)]))
    b = matrix @ np.arange(14.0)
    result = minres(matrix, b, rtol=1e-11)
    assert result.info == 0, result.status
    np.testing.assert_allclose(result.x, np.linalg.pinv(matrix, hermitian=True) @ b, atol=1e-8)


@pytest.mark.parametrize("preconditioner", [None, "a diagonal"])
def test_inconsistent_singular_system_is_reported_with_a_least_squares_solution(preconditioner):
    matrix = with_spectrum(np.concatenate([[0.0, 0.0], [-2.0, -1.0], np.linspace(1, 9, 8)]))
    weights = np.ones(12) if preconditioner is None else np.linspace(1, 2, 12)
    b = np.ones(12)
    result = minres(matrix, b, M=None if preconditioner is None else np.diag(weights), rtol=1e-11)
    assert result.info == -4, result.status
    assert "singular" in result.status
    assert not result.converged.any()
    np.testing.assert_allclose(matrix @ (weights * (b - matrix @ result.x)), 0, atol=1e-6)


def test_a_residual_that_grows_outside_of_the_norm_of_M_is_no_breakdown():
    result = minres(np.array([[0.1, 5.0], [5.0, 1.0]]), np.array([1.0, 0.0]), M=np.diag([1.0, 1e-8]), maxiter=1)
    assert result.true_residual[0] > 10, "or this says nothing"
    assert result.info == 1
    np.testing.assert_allclose(result.residuals[-1], result.true_residual, rtol=1e-6)


def test_null_vector_as_right_hand_side():
    result = minres(np.diag([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 0.0]))
    assert (result.info, result.iterations) == (-4, 0)
    np.testing.assert_array_equal(result.x, 0)


def test_shifts():
    w, q = np.linalg.eigh(A)
    for shift in (0.5, (w[20] + w[21]) / 2):
        result = minres(A - shift * kl.Identity(40, dtype="float64"), B[:, 0], rtol=1e-9)
        assert result.converged.all()
        np.testing.assert_allclose(result.x, (q / (w - shift)) @ q.T @ B[:, 0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NETS)
def test_two_level_preconditioner(name):
    matrix, fine, Z, b, _ = net(name)
    B = kl.two_level(matrix, kl.assume(fine, "pd"), Z, "BNN")
    result = minres(matrix, b, M=B, rtol=1e-9)
    assert result.converged.all(), result.status
    assert abs(result.iterations - kl.cg(matrix, b, M=B, rtol=1e-9).iterations) <= 3
    np.testing.assert_allclose(result.x, np.linalg.solve(matrix, b), rtol=1e-5, atol=1e-6)


def test_reports_an_indefinite_preconditioner():
    early = minres(np.eye(3), np.array([1.0, 1.0, 2.0]), M=np.diag([1.0, 1.0, -1.0]))
    assert early.info == -2
    assert early.status == "the preconditioner is not positive definite: rᴴMr = -2 ≤ 0 at step 0 in column 0"
    late = minres(np.diag([1.0, 2.0, 3.0]), np.array([4.0, 1.0, 1.0]), M=np.diag([1.0, 1.0, -1.0]))
    assert late.info == -2
    assert np.isfinite(late.x).all()


@pytest.mark.parametrize("place", ["A", "M"])
def test_a_rotten_column_does_not_spoil_its_neighbours(place):
    def rotten(x):
        good = A @ x[:, 0] if place == "A" else x[:, 0]
        return np.stack([good, np.full(40, np.nan if x.any() else 0.0)], axis=1)

    bad = kl.assume(kl.Function(rotten, shape=A.shape, dtype="float64"), "self-adjoint" if place == "A" else "pd")
    b = B[:, [0, 3]]
    with np.errstate(invalid="ignore"):
        result = minres(bad, b, rtol=1e-8) if place == "A" else minres(A, b, M=bad, rtol=1e-8)
    assert result.info == -3
    np.testing.assert_array_equal(result.converged, [True, False])
    np.testing.assert_array_equal(result.x[:, 1], 0)
    assert np.isfinite(result.residuals).all()


def test_stops_where_rounding_allows_no_more():
    result = minres(A, B[:, 0], rtol=0.0)
    assert result.info > 0
    assert result.status.endswith("this is as far as rounding allows")
    assert result.true_residual[0] < 1e-12


def test_edges():
    exact = np.linalg.solve(A, B)
    assert minres(A, B, exact, rtol=1e-6).iterations == 0
    assert minres(A, B[:, :0]).x.shape == (40, 0)
    assert minres(np.array([[-2.0]]), np.array([1.0])).x == [-0.5]
    assert minres(A, B[:, 0], rtol=1e-6, maxiter=3).info == 3
    loose = minres(A, B[:, 0], rtol=0.0, atol=1e-3)
    assert loose.info == 0
    assert np.linalg.norm(B[:, 0] - A @ loose.x) <= 1e-3
    complex_side = minres(A, B[:, 0] + 1j * B[:, 1], rtol=1e-10)
    np.testing.assert_allclose(complex_side.x.real, exact[:, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_all_array_libraries(lib, dtype):
    matrix = with_spectrum([-2.0, 1.0, 3.0], is_complex=dtype == "complex128")
    b = np.random.default_rng(1).standard_normal((3, 2))
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    arrays = (lib.asarray(x, dtype) for x in (matrix, b))
    result = minres(*arrays, M=lib.asarray(np.diag([1.0, 2.0, 3.0]), dtype), rtol=tolerance)
    check_solution(result, lib, dtype, matrix, b, tolerance)


def test_refusals():
    with pytest.raises(ValueError, match="self-adjoint A"):
        minres(np.triu(np.ones((3, 3))), np.ones(3))
    with pytest.raises(ValueError, match=r"self-adjoint M.*BNN.*gmres"):
        minres(np.eye(3), np.ones(3), M=np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match="positive semidefinite M"):
        minres(np.eye(3), np.ones(3), M=-kl.Identity(3, dtype="float64"))
    with pytest.raises(ValueError, match=r"singular.*gmres"):
        minres(np.eye(3), np.ones(3), M=kl.LowRank(rotation(3, 0)[:, :1]))
