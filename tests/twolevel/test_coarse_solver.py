"""Laws of two-level methods whose coarse problem is solved by another operator: three levels, perturbed solves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.coarse import nicolaides, spectral
from kronlin.curvature import fisher, kfac
from kronlin.galerkin import Galerkin
from kronlin.twolevel import galerkin_step, two_level
from tests.libraries import JAX, installed
from tests.matrices import adjoint, normal
from tests.nets import close, mlp_layers, tiny_layers
from tests.triples import SCHEMES, random_spd, triples
from tests.twolevel.test_in_cg import perturbed_inverse

SCHEME = pytest.mark.parametrize("scheme", SCHEMES)


def with_solver(A, M, Z, S):
    """The dense schemes with Q = Z S Zᴴ and P = I - A Q."""
    Q = Z @ S @ adjoint(Z)
    P = np.eye(len(A)) - A @ Q
    PH = adjoint(P)
    return {
        "AD": M + Q,
        "DEF1": M @ P,
        "DEF2": PH @ M,
        "A-DEF1": M @ P + Q,
        "A-DEF2": PH @ M + Q,
        "BNN": PH @ M @ P + Q,
        "R-BNN1": PH @ M @ P,
        "R-BNN2": PH @ M,
    }


@SCHEME
@given(triple=triples(hardest=2, scaled=False, complex_too=True), seed=st.integers(0, 99))
def test_any_solver(scheme, triple, seed):
    """Self-adjoint or not, near E⁻¹ or not: Q = Z S Zᴴ, also in the adjoint."""
    A, M, Z = triple
    S = normal((triple.k, triple.k), str(A.dtype), seed)
    B, wanted = two_level(A, M, Z, scheme, coarse_solver=S), with_solver(A, M, Z, S)[scheme]
    close(B.to_dense(), wanted, 1e-11)
    close(B.H.to_dense(), adjoint(wanted), 1e-11)


@SCHEME
@given(triple=triples(hardest=3, complex_too=True))
def test_an_exact_solver_changes_nothing(scheme, triple):
    B = two_level(*triple, scheme, coarse_solver=lambda E: E.inverse())
    wanted = two_level(*triple, scheme).to_dense()
    assert np.abs(B.to_dense() - wanted).max() <= 1e-8 * triple.condition * np.abs(wanted).max()


@SCHEME
def test_three_levels(scheme):
    """Z₂ that spans the coarse space, or a fine step E⁻¹ on it, make the coarse solve exact; else it is inexact."""
    layers, _ = mlp_layers((4, 5, 4, 3))
    K = kfac(layers)
    A, M, Z = fisher(layers).damped(0.1), K.damped(0.1).inverse(), spectral(K, 3, "largest")
    wanted = two_level(A, M, Z, scheme).to_dense()

    def three(fine, Z2):
        def second(E):
            return two_level(E, fine(E), Z2, "BNN")

        return two_level(A, M, Z, scheme, coarse_solver=second)

    def jacobi(E):
        return kl.Diagonal(1 / E.diagonal())

    pairs = np.kron(np.eye(3), np.ones((3, 1)))
    close(three(lambda E: kl.assume(np.eye(9), "pd"), np.eye(9)).to_dense(), wanted, 1e-10)
    close(three(lambda E: E.inverse(), pairs).to_dense(), wanted, 1e-10)
    B = three(jacobi, pairs)
    assert np.abs(B.to_dense() - wanted).max() > 1e-6 * np.abs(wanted).max()
    assert isinstance(B.coarse.E_inverse, type(B))
    assert B.coarse.E_inverse.coarse.k == 3
    assert "9 coarse by TwoLevel(9×9)" in repr(B)
    assert "solved by TwoLevel(9×9)" in repr(B.coarse)


def test_three_levels_solve():
    """Inside cg, with the middle level in between: hardly more steps than with an exact coarse solve."""
    layers, gradient = mlp_layers((6, 8, 8, 4), n=20)
    K = kfac(layers)
    A, M, Z = fisher(layers).damped(1e-3), K.damped(1e-3).inverse(), spectral(K, 8, "largest")

    def second(E):
        return two_level(E, kl.Diagonal(1 / E.diagonal()), np.kron(np.eye(3), np.ones((8, 1))), "BNN")

    exact = kl.cg(A, gradient, M=two_level(A, M, Z, "BNN"), rtol=1e-8)
    inexact = kl.cg(A, gradient, M=two_level(A, M, Z, "BNN", coarse_solver=second), rtol=1e-8)
    assert inexact.converged.all()
    np.testing.assert_allclose(inexact.x, exact.x, atol=1e-6 * np.abs(exact.x).max())


@SCHEME
def test_properties(scheme):
    """AD and BNN are pd with any psd solver, R-BNN1 is psd, and singular as far as is known only with exact solves."""
    A, M = (kl.assume(random_spd(np.random.default_rng(seed), 5, 1), "pd") for seed in (0, 1))
    Z, matrix = normal((5, 2)), random_spd(np.random.default_rng(2), 2, 1)
    symmetric, definite = scheme in ("AD", "BNN", "R-BNN1"), scheme in ("AD", "BNN")
    for S in (kl.assume(matrix, "pd"), kl.assume(matrix[:, :1] @ matrix[:1, :], "psd")):
        B = two_level(A, M, Z, scheme, coarse_solver=S)
        assert B.coarse.is_exact is False
        assert B.is_self_adjoint is symmetric
        assert B.is_psd is symmetric
        assert B.is_pd is (True if definite else None if symmetric else False)
        if definite:
            assert np.linalg.eigvalsh(B.to_dense())[0] > 0
        assert B.H.scheme.name == B.scheme.adjoint
    unknown = two_level(A, M, Z, scheme, coarse_solver=kl.Dense(matrix))
    assert unknown.is_self_adjoint is symmetric
    assert unknown.is_pd is (None if definite else unknown.is_pd)
    skew = two_level(A, M, Z, scheme, coarse_solver=np.triu(np.ones((2, 2))))
    assert skew.is_self_adjoint is {"R-BNN1": True, "AD": None, "BNN": None}.get(scheme, False)


def test_a_broken_solver_makes_addition_indefinite():
    """Why psd is not promised for S = Sᴴ of unknown definiteness."""
    B = two_level(np.eye(2), kl.assume(np.eye(2), "pd"), np.eye(2)[:, :1], "AD", coarse_solver=np.array([[-3.0]]))
    assert B.is_self_adjoint is True
    assert B.is_psd is None
    assert np.linalg.eigvalsh(B.to_dense())[0] == -2


@SCHEME
@pytest.mark.parametrize("lib", [lib for lib in installed() if lib is not JAX], ids=str)
def test_every_library(lib, scheme):
    layers = tiny_layers(lib)
    K = kfac(layers)
    A, M, Z = fisher(layers).damped(0.5), K.damped(0.5).inverse(), nicolaides(K)
    S = np.linalg.inv(lib.numpy(Galerkin(A, Z).E)) * 1.1
    x = np.arange(12.0)
    found = two_level(A, M, Z, scheme, coarse_solver=lib.asarray(S)) @ lib.asarray(x)
    dense = with_solver(*(lib.numpy(matrix.to_dense()) for matrix in (A, M, Z)), S)[scheme]
    close(lib.numpy(found), dense @ x, 1e-11)
    assert lib.owns(found)


def test_survives_casts_and_files(tmp_path):
    A, M, Z = np.diag([1.0, 2.0, 4.0]), np.eye(3), np.ones((3, 1))
    B = two_level(A, M, Z, "BNN", coarse_solver=lambda E: 1.5 * E.inverse())
    kl.save(tmp_path / "file", B)
    for twin, tolerance in (
        (kl.load(tmp_path / "file"), 1e-15),
        (B.astype("float32"), 1e-6),
        (B.with_scheme("BNN"), 0),
    ):
        np.testing.assert_allclose(twin.to_dense(), B.to_dense(), rtol=tolerance)
        assert twin.coarse.is_exact is False


def test_a_scipy_operator_is_a_solver_and_no_function():
    A, M, Z = np.diag([1.0, 2.0, 4.0]), np.eye(3), np.ones((3, 1))
    S = kl.Dense(np.array([[1 / 7]])).to_scipy()
    B = two_level(A, M, Z, "BNN", coarse_solver=S)
    close(B.to_dense(), two_level(A, M, Z, "BNN").to_dense())


def test_a_function_gets_the_coarse_operator():
    A, seen = kl.assume(np.diag([1.0, 2.0, 4.0]), "pd"), []

    def solver(E):
        seen.append(E)
        return E.inverse()

    coarse = Galerkin(A, np.eye(3)[:, :2], coarse_solver=solver)
    assert len(seen) == 1
    assert seen[0].is_psd is True
    np.testing.assert_array_equal(seen[0].to_dense(), coarse.E)
    assert Galerkin(np.diag([1.0, 2.0]), np.eye(2), coarse_solver=lambda E: seen.append(E) or E.inverse()).k == 2
    assert seen[1].is_psd is None


@pytest.mark.parametrize("relative", [1e-8, 1e-4, 1e-2])
def test_spectrum_under_perturbed_solves(relative):
    """BNN A and AD A keep their spectra to the size of the perturbation; the zeros of DEF1 move away from zero."""
    rng = np.random.default_rng(0)
    A, M = random_spd(rng, 12, 3), random_spd(rng, 12, 1)
    Z = np.linalg.qr(normal((12, 4)))[0]
    S = perturbed_inverse(Z.T @ A @ Z, relative)

    def eigenvalues(scheme, **options):
        return np.sort(np.linalg.eigvals(two_level(A, M, Z, scheme, **options).to_dense() @ A).real)

    for scheme in ("AD", "BNN", "A-DEF2"):
        exact, found = eigenvalues(scheme), eigenvalues(scheme, coarse_solver=S)
        assert found[0] > 0.9 * exact[0]
        assert found[-1] < 1.1 * exact[-1]
    zeros = np.sort(np.abs(eigenvalues("DEF1", coarse_solver=S)))[:4]
    assert 1e-3 * relative < zeros[-1] / np.abs(eigenvalues("DEF1")).max() < 10 * relative


def test_refusals():
    A, Z = np.diag([1.0, 2.0, 4.0]), np.eye(3)[:, :2]
    with pytest.raises(ValueError, match=r"2 coarse columns take a coarse solver of shape \(2, 2\), not \(3, 3\)"):
        Galerkin(A, Z, coarse_solver=np.eye(3))
    with pytest.raises(ValueError, match="a coarse solver mixes numpy float64 with numpy float32"):
        two_level(A, A, Z, "BNN", coarse_solver=np.eye(2, dtype=np.float32))
    with pytest.raises(ValueError, match=r"the coarse solver is complex, and E = Zᴴ A Z is numpy float64"):
        Galerkin(A, Z, coarse_solver=1j * np.eye(2))
    inexact = Galerkin(A, Z, coarse_solver=np.eye(2))
    with pytest.raises(ValueError, match=r"galerkin_step takes a coarse space whose E is solved exactly, not Galerkin"):
        galerkin_step(A, np.eye(3), inexact, np.ones(3))
    skew = Galerkin(A, Z, coarse_solver=np.triu(np.ones((2, 2))))
    with pytest.raises(ValueError, match="deflated_cg needs a self-adjoint coarse solver"):
        kl.deflated_cg(A, np.ones(3), skew)
