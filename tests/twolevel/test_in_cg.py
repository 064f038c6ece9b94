"""Two-level methods inside conjugate gradients: equal iterates, the bound, and what rounding and inexact solves do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.galerkin import Galerkin
from tests.krylov.systems import with_spectrum
from tests.matrices import adjoint, normal
from tests.triples import deflated_spectrum, energy_norm, formulas, triples
from tests.twolevel.cases import SPACES, fisher_triple, small_fishers

DEFLATED = ("DEF1", "DEF2", "A-DEF2", "R-BNN1", "R-BNN2")


def iterates(solve, **options):
    """All iterates, one a column."""
    seen = []
    solve(callback=seen.append, rtol=1e-9, **options)
    return np.stack(seen, axis=1)


def check_iterates(operators, triple, steps):
    """The deflation schemes, and BNN started at Q b + Pᴴ x₀, give the same iterates, with Zᴴ r = 0."""
    A, M, Z = operators
    dense = formulas(*triple)
    b, x0 = (normal(len(triple.A), str(triple.A.dtype), seed) for seed in (1, 2))
    start = dense.Q @ b + adjoint(dense.P) @ x0
    B = kl.two_level(A, M, Z, "BNN")
    wanted = iterates(lambda **options: kl.cg(A, b, start, M=B, **options), maxiter=steps)
    scale = np.abs(wanted).max()
    unit = triple.Z / np.linalg.norm(triple.Z, axis=0)
    for scheme in DEFLATED:
        found = iterates(
            lambda scheme=scheme, **options: kl.deflated_cg(A, b, Z, M, scheme=scheme, x0=x0, **options), maxiter=steps
        )
        count = min(found.shape[1], wanted.shape[1])
        np.testing.assert_allclose(found[:, :count], wanted[:, :count], atol=1e-6 * scale, err_msg=scheme)
        residuals = b[:, None] - triple.A @ found
        assert np.abs(adjoint(unit) @ residuals).max() <= 1e-7 * np.linalg.norm(triple.A, 2) * scale


@given(triples(hardest=2, complex_too=True))
def test_iterates_are_the_same_on_random_triples(triple):
    check_iterates(triple, triple, 3)


@pytest.mark.parametrize("net", small_fishers())
@pytest.mark.parametrize("space", SPACES)
def test_iterates_are_the_same_on_fisher_matrices(net, space):
    check_iterates(*fisher_triple(*small_fishers()[net], space), 4)


@given(triples(hardest=3, complex_too=True), st.sampled_from(["A-DEF2", "DEF1"]))
def test_error_falls_as_fast_as_the_effective_condition_says(triple, scheme):
    """‖x_j - x‖_A ≤ 2 ((√κ - 1) / (√κ + 1))ʲ ‖x₀ - x‖_A from x₀ = Q b, κ the effective condition of M P A."""
    A, M, Z = triple
    b = normal(len(A), str(A.dtype))
    solution = np.linalg.solve(A, b)
    found = iterates(lambda **options: kl.deflated_cg(A, b, Z, M, scheme=scheme, **options), maxiter=5)
    root = np.sqrt((mu := deflated_spectrum(*triple))[-1] / mu[0])
    first = energy_norm(A, formulas(*triple).Q @ b - solution)
    errors = energy_norm(A, found - solution[:, None])
    bound = 2 * ((root - 1) / (root + 1)) ** np.arange(1, len(errors) + 1) * first
    assert np.all(errors <= bound * (1 + 1e-6) + 1e-7 * energy_norm(A, solution))


def test_reprojection_and_balancing_reach_what_plain_a_def2_does_not():
    """Condition 1e5: inside cg A-DEF2 stagnates once Zᴴ r has drifted; `deflated_cg` and BNN go on to 1e-10."""
    n = 200
    A = with_spectrum(np.logspace(-5, 0, n), seed=5)
    b, Z, M = normal(n), normal((n, 10), seed=1), np.eye(n)
    exact = np.linalg.solve(A, b)
    adapted, balanced = (kl.two_level(A, M, Z, scheme) for scheme in ("A-DEF2", "BNN"))
    assert np.linalg.cond(A) == pytest.approx(1e5)
    with pytest.raises(ValueError, match="deflated_cg"):
        kl.cg(A, b, M=adapted)
    pretended = kl.assume(kl.Function(lambda x: adapted @ x, shape=(n, n), dtype="float64"), "pd")
    options = {"rtol": 1e-11, "maxiter": 4000}
    plain = kl.cg(A, b, adapted.coarse.Q @ b, M=pretended, **options)
    good = [kl.deflated_cg(A, b, Z, M, **options), kl.cg(A, b, M=balanced, **options)]

    def error(x):
        return np.linalg.norm(x - exact) / np.linalg.norm(exact)

    assert error(plain.x) > 1e-4
    assert not plain.converged.all()
    for result in good:
        assert result.converged.all(), result.status
        assert error(result.x) < 1e-10


def perturbed_inverse(E, relative, seed=0):
    """S = E^-½ (I + δ N) E^-½ with ‖N‖ = 1, for a relative error δ of every coarse solve."""
    w, q = np.linalg.eigh(E)
    root = (q / np.sqrt(w)) @ q.T
    N = normal(E.shape, seed=seed)
    N = (N + N.T) / np.linalg.norm(N + N.T, 2)
    S = root @ (np.eye(len(E)) + relative * N) @ root
    return (S + S.T) / 2


@pytest.mark.parametrize("seed", range(3))
def test_inexact_coarse_solves(seed):
    """With a relative error 1e-4 AD, BNN and A-DEF2 still reach 1e-10; DEF1 breaks down, and says so."""
    A = with_spectrum(np.logspace(-4, 0, 60), seed=seed)
    Z = np.linalg.eigh(A)[1][:, :8] @ normal((8, 8), seed=seed)
    S = kl.assume(perturbed_inverse(Z.T @ A @ Z, 1e-4, seed), "pd")
    M = kl.assume(np.diag(1 / np.diag(A)), "pd")
    A, b = kl.assume(A, "pd"), normal(60, seed=seed)
    exact = A.solve(b)
    coarse = Galerkin(A, Z, coarse_solver=S)
    results = {scheme: kl.two_level(A, M, Z, scheme, coarse_solver=S) for scheme in ("AD", "BNN")}
    results = {scheme: kl.cg(A, b, M=B, rtol=1e-10, maxiter=300) for scheme, B in results.items()}
    results["A-DEF2"] = kl.deflated_cg(A, b, coarse, M, rtol=1e-10, maxiter=300)
    for scheme, result in results.items():
        assert result.converged.all(), (scheme, result.status)
        assert np.linalg.norm(result.x - exact) <= 1e-9 * np.linalg.norm(exact)
    broken = kl.deflated_cg(A, b, coarse, M, scheme="DEF1", rtol=1e-10, maxiter=300)
    assert not broken.converged.any()
    assert np.linalg.norm(broken.x - exact) > 1e-5 * np.linalg.norm(exact)
    assert kl.deflated_cg(A, b, Galerkin(A, Z), M, scheme="DEF1", rtol=1e-8, maxiter=300).converged.all()
