"""Laws of `ritz`: eigenvectors of M A from a Lanczos run."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kronlin.coarse import ritz
from kronlin.krylov import condition_number, lanczos
from kronlin.operators import Dense, Diagonal, LowRank
from kronlin.twolevel import two_level
from tests.coarse.spaces import Level, projector, tiny_level
from tests.libraries import NUMPY
from tests.matrices import each_dtype, positive
from tests.nets import close, random_layers
from tests.triples import spectrum, triples

WHICH = ("smallest", "largest")


def ends(theta, k, which):
    return theta[:k] if which == "smallest" else theta[len(theta) - k :]


def distinct_spectrum(triple):
    """The eigenvalues of M A; examples in which two of them are nearly equal are passed over."""
    theta = spectrum(triple.M, triple.A)
    assume(np.diff(theta).min() > 1e-4 * theta[-1])
    return theta


@given(triples(hardest=3), st.sampled_from(WHICH))
def test_eigenvectors(triple, which):
    """M A z = θ z for the k eigenvalues at one end, in ascending order."""
    A, M, k = triple.A, triple.M, triple.k
    theta = distinct_spectrum(triple)
    Z = ritz(A, k, M, which, rtol=1e-10).to_dense()
    quotients = np.diag(Z.T @ A @ Z) / np.diag(Z.T @ np.linalg.solve(M, Z))
    np.testing.assert_allclose(quotients, ends(theta, k, which), rtol=1e-6)
    unit = Z / np.linalg.norm(Z, axis=0)
    assert np.abs(M @ (A @ unit) - unit * quotients).max() <= 1e-6 * np.linalg.norm(M, 2) * np.linalg.norm(A, 2)


@given(triples(hardest=3), st.sampled_from(WHICH))
def test_deflation_leaves_the_other_eigenvalues(triple, which):
    """Z of k eigenvectors of M A: DEF1 has k zeros and the remaining θ, BNN k ones and the remaining θ."""
    A, M, k = triple.A, triple.M, triple.k
    theta = distinct_spectrum(triple)
    Z = ritz(A, k, M, which, rtol=1e-10)
    rest = theta[k:] if which == "smallest" else theta[: len(theta) - k]
    for scheme, value in (("DEF1", 0.0), ("BNN", 1.0)):
        wanted = np.sort(np.concatenate([np.full(k, value), rest]))
        found = spectrum(two_level(A, M, Z, scheme).to_dense(), A)
        np.testing.assert_allclose(found, wanted, atol=1e-6 * wanted[-1])


def test_the_bound_is_met():
    """Within rtol |θ| of each Ritz value there is an eigenvalue, after fewer steps than A has rows."""
    A = Diagonal(np.concatenate([np.linspace(1, 2, 200), [5.0, 9.0, 20.0]]))
    Z = ritz(A, 3, which="largest", rtol=1e-3).to_dense()
    quotients = np.diag(Z.T @ (A @ Z))
    np.testing.assert_allclose(quotients, [5.0, 9.0, 20.0], rtol=1e-3)
    with pytest.raises(RuntimeError, match="after 6 steps the 3 largest"):
        ritz(A, 3, which="largest", rtol=1e-3, maxiter=6)


def test_a_run_that_is_done_is_recycled():
    A, M = positive(12, condition=1e3), positive(12, seed=1)
    run = lanczos(A, 6, M)
    for which, chosen in (("smallest", (0, 1)), ("largest", (4, 5))):
        Z = ritz(run, 2, which=which)
        assert isinstance(Z, Dense)
        np.testing.assert_array_equal(Z.to_dense(), run.ritz_vectors(*chosen))
    with pytest.raises(ValueError, match=r"k = 7, but LanczosResult\(6 steps.*has from 1 to 6 vectors"):
        ritz(run, 7)


def test_improves_the_condition():
    level = Level(random_layers(np.random.default_rng(0), 6, 2, [(3, 3), (3, 4)]), 1e-2)
    theta = spectrum(level.M.to_dense(), level.A.to_dense())
    B = two_level(level.A, level.M, ritz(level.A, 3, level.M, "largest", rtol=1e-8), "BNN")
    found = condition_number(level.A, B, rtol=1e-6)
    np.testing.assert_allclose(float(found), max(theta[-4], 1) / theta[0], rtol=1e-4)


def test_a_singular_preconditioner_ends_the_run_early():
    """Only the range of M is seen, and once it is used up the vectors are as good as they get."""
    root = positive(9)[:, :3]
    A, M = positive(9, condition=1e3, seed=1), LowRank(root)
    Z = ritz(A, 3, M, rtol=0.0).to_dense()
    close(projector(Z), projector(root), 1e-6)
    with pytest.raises(ValueError, match=r"ended after 3 steps"):
        ritz(A, 4, M)


def test_type():
    Z = ritz(np.diag([1.0, 2.0, 3.0]), 2)
    assert isinstance(Z, Dense)
    assert Z.shape == (3, 2)


@each_dtype(("float32", "complex64"))
def test_every_library(lib, dtype):
    level = tiny_level(lib, dtype)
    found = ritz(level.A, 1, level.M, "largest").to_dense()
    assert found.dtype == getattr(lib.xp, dtype)
    assert lib.owns(found)
    wide = tiny_level(NUMPY, "complex128" if dtype.startswith("complex") else "float64")
    close(projector(lib.numpy(found)), projector(ritz(wide.A, 1, wide.M, "largest").to_dense()), 1e-2)


# Errors


def test_multiple_eigenvalues_are_found_once():
    with pytest.raises(ValueError, match=r"k = 3, but the Lanczos process ended after 2 steps: .*so ask for k ≤ 2"):
        ritz(np.diag([1.0, 1.0, 1.0, 4.0]), 3)
    assert ritz(np.diag([1.0, 1.0, 1.0, 4.0]), 2).shape == (4, 2)


def test_not_converged():
    A = Diagonal(np.linspace(1, 1000, 400))
    with pytest.raises(
        RuntimeError, match=r"after 30 steps the 2 smallest .*rtol = 0.01 \(the largest bound is .*raise"
    ):
        ritz(A, 2, maxiter=30)
    with pytest.raises(RuntimeError, match=r"after 1 steps the 2 smallest of M A are not within rtol = 0.01: raise"):
        ritz(A, 2, maxiter=1)


@pytest.mark.parametrize("k", [0, 4])
def test_k_out_of_range(k):
    with pytest.raises(ValueError, match=f"k = {k} vectors of an operator 3×3: choose between 1 and 3"):
        ritz(np.eye(3), k)


def test_unknown_which():
    with pytest.raises(ValueError, match="unknown which 'middle': choose one of 'smallest', 'largest'"):
        ritz(np.eye(3), 1, which="middle")


def test_unfit_operators():
    with pytest.raises(ValueError, match="ritz needs a square A"):
        ritz(np.ones((3, 2)))
    with pytest.raises(ValueError, match="ritz needs a self-adjoint A"):
        ritz(np.array([[1.0, 2.0], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="ritz: rtol must be a finite number ≥ 0"):
        ritz(np.eye(3), rtol=-1.0)
