"""The five deflation schemes: equal iterates, the stored ones, and the limits of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.galerkin import Galerkin
from kronlin.krylov import cg, deflated_cg
from tests.krylov.systems import NETS, check_solution, net, positive_definite, rotation, with_spectrum

SCHEMES = ["DEF1", "DEF2", "A-DEF2", "R-BNN1", "R-BNN2"]


def iterates(*arguments, rtol=0.0, **options):
    seen = []
    deflated_cg(*arguments, callback=seen.append, rtol=rtol, **options)
    return np.stack(seen)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_iterates_are_the_stored_ones(name, scheme):
    A, M, Z, b, data = net(name)
    stored = data[f"cg_{scheme.replace('-', '')}_x"]
    found = iterates(A, b, Z, M, scheme=scheme, maxiter=6)
    np.testing.assert_allclose(found, stored[1:], atol=1e-9)
    assert np.abs(np.diff(stored, axis=0)).max(axis=1).min() > 1e-6, "the iterates must differ for this to say anything"


@given(positive_definite(7), st.integers(1, 3), st.integers(0, 2**20))
def test_all_schemes_give_the_same_iterates(A, width, seed):
    random = np.random.default_rng(seed)
    b, x0 = random.standard_normal((2, 7))
    Z = random.standard_normal((7, width))
    M = np.diag(1 / np.diag(A).real)
    reference = iterates(A, b, Z, M, scheme="DEF1", x0=x0, maxiter=3, rtol=1e-9)
    for scheme in SCHEMES[1:]:
        found = iterates(A, b, Z, M, scheme=scheme, x0=x0, maxiter=3, rtol=1e-9)
        count = min(len(found), len(reference))
        np.testing.assert_allclose(found[:count], reference[:count], atol=1e-7 * np.abs(reference).max())


@given(positive_definite(6), st.sampled_from(SCHEMES), st.integers(0, 2**20))
def test_solves(A, scheme, seed):
    random = np.random.default_rng(seed)
    b, Z = random.standard_normal((6, 2)), random.standard_normal((6, 2))
    result = deflated_cg(A, b, Z, scheme=scheme, rtol=1e-9)
    assert result.converged.all(), result.status
    exact = np.linalg.solve(A, b)
    assert np.linalg.norm(result.x - exact) <= 1e-9 * np.linalg.cond(A) * np.linalg.norm(exact)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_deflates_what_hinders(scheme):
    values = np.concatenate([[1e-4, 1e-3], np.linspace(1, 2, 48)])
    A = with_spectrum(values, seed=1)
    b = np.ones(50)
    Z = rotation(50, 1)[:, :2]
    plain, deflated = cg(A, b, rtol=1e-8), deflated_cg(A, b, Z, scheme=scheme, rtol=1e-8)
    assert deflated.converged.all()
    assert deflated.iterations <= 14 < plain.iterations


def test_reprojection_reaches_what_plain_a_def2_does_not():
    """Condition 1e5: the same operator inside cg stagnates, because Zᴴ r drifts from zero."""
    n = 200
    A = with_spectrum(np.logspace(-5, 0, n), seed=5)
    random = np.random.default_rng(5)
    b, Z = random.standard_normal(n), random.standard_normal((n, 10))
    exact = np.linalg.solve(A, b)
    Q = Z @ np.linalg.solve(Z.T @ A @ Z, Z.T)
    adapted = np.eye(n) - Q @ A + Q
    pretended = kl.assume(kl.Function(lambda x: adapted @ x, shape=(n, n), dtype="float64"), "pd")
    plain = cg(A, b, Q @ b, M=pretended, rtol=1e-11, maxiter=4000)
    good = deflated_cg(A, b, Z, rtol=1e-11, maxiter=4000)

    def error(x):
        return np.linalg.norm(x - exact) / np.linalg.norm(exact)

    assert good.converged.all(), good.status
    assert error(good.x) < 1e-10
    assert not plain.converged.all()
    assert error(plain.x) > 1e-4


def test_zero_stays_zero_and_columns_are_independent():
    A = with_spectrum(np.logspace(0, 2, 20))
    B = np.random.default_rng(0).standard_normal((20, 3))
    B[:, 1] = 0
    for scheme in SCHEMES:
        result = deflated_cg(A, B, np.ones((20, 1)), scheme=scheme, rtol=1e-10)
        np.testing.assert_array_equal(result.x[:, 1], 0)
        assert result.column_iterations[1] == 0
        alone = deflated_cg(A, B[:, 2], np.ones((20, 1)), scheme=scheme, rtol=1e-10)
        np.testing.assert_allclose(result.x[:, 2], alone.x, rtol=1e-6)


def test_a_coarse_space_that_is_everything_needs_no_step():
    A = with_spectrum(np.logspace(0, 2, 6))
    for scheme in SCHEMES:
        result = deflated_cg(A, np.ones(6), np.eye(6), scheme=scheme, rtol=1e-8)
        assert result.info == 0, result.status
        assert result.iterations == 0 or scheme == "DEF1"
        np.testing.assert_allclose(result.x, np.linalg.solve(A, np.ones(6)), rtol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_array_libraries(lib, dtype, scheme):
    A = with_spectrum(np.logspace(0, 2, 6), is_complex=dtype == "complex128")
    b = np.random.default_rng(1).standard_normal((6, 2))
    Z, M = np.ones((6, 1)), np.diag(1 / np.diag(A).real)
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    inputs = [lib.asarray(array, dtype) for array in (A, b, Z, M)]
    result = deflated_cg(*inputs, scheme=scheme, rtol=tolerance)
    check_solution(result, lib, dtype, A, b, tolerance)


def test_takes_a_ready_galerkin():
    A = with_spectrum(np.logspace(0, 2, 6))
    ready = Galerkin(A, np.ones((6, 1)))
    np.testing.assert_array_equal(deflated_cg(A, np.ones(6), ready).x, deflated_cg(A, np.ones(6), np.ones((6, 1))).x)
    with pytest.raises(ValueError, match="the coarse space has 6 rows"):
        deflated_cg(np.eye(4), np.ones(4), ready)


def test_costs_one_product_with_a_and_m_each_step():
    A, M = with_spectrum(np.logspace(0, 2, 20)), np.eye(20)
    counts = {}

    def counted(name, matrix):
        counts[name] = 0

        def product(x):
            counts[name] += 1
            return matrix @ x

        return kl.assume(kl.Function(product, shape=matrix.shape, dtype="float64"), "pd")

    for scheme in SCHEMES:
        result = deflated_cg(counted("A", A), np.ones(20), np.ones((20, 1)), counted("M", M), scheme=scheme)
        assert counts["M"] == result.iterations
        assert counts["A"] == result.iterations + 2, "the coarse space and the last residual"


def test_refusals():
    A, b, Z = np.eye(3), np.ones(3), np.ones((3, 1))
    with pytest.raises(ValueError, match=r"unknown scheme 'BNN'.*DEF1, DEF2, A-DEF2, R-BNN1, R-BNN2"):
        deflated_cg(A, b, Z, scheme="BNN")
    with pytest.raises(ValueError, match=r"self-adjoint M.*one-level M"):
        deflated_cg(A, b, Z, np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match=r"singular.*one-level M"):
        deflated_cg(A, b, Z, kl.LowRank(Z))
    with pytest.raises(ValueError, match="b has an entry"):
        deflated_cg(A, np.nan * b, Z)
    with pytest.raises(ValueError, match="coarse space is 2×1"):
        deflated_cg(A, b, np.ones((2, 1)))
