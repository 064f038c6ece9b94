"""The result behaves as SciPy's pair."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.krylov import KrylovResult, cg, deflated_cg, gmres, minres
from tests.krylov.systems import with_spectrum

SOLVERS = {
    "cg": cg,
    "minres": minres,
    "gmres": gmres,
    "deflated_cg": lambda A, b, *start, **options: deflated_cg(
        A, b, np.ones((A.shape[0], 1), A.dtype), x0=start[0] if start else None, **options
    ),
}
A = with_spectrum(np.logspace(0, 2, 12), is_complex=True)
B = np.random.default_rng(0).standard_normal((12, 3)) + 1j


@pytest.fixture(params=SOLVERS)
def solver(request):
    return SOLVERS[request.param]


def test_every_solver_fills_every_field(solver):
    seen = []
    result = solver(A, B, rtol=1e-8, callback=seen.append)
    assert isinstance(result, KrylovResult)
    assert result.info == 0
    assert result.status.startswith(f"converged: after {result.iterations} iterations")
    assert result.converged.tolist() == [True] * 3
    assert result.column_iterations.max() == result.iterations == len(seen)
    assert result.residuals.shape == (result.iterations + 1, 3)
    np.testing.assert_array_equal(seen[-1], result.x)
    true = np.linalg.norm(B - A @ result.x, axis=0) / np.linalg.norm(B, axis=0)
    np.testing.assert_allclose(result.true_residual, true, rtol=1e-3)
    assert (true <= 1e-8).all()


def test_every_solver_at_the_edges(solver):
    nothing = solver(A, 0 * B)
    assert (nothing.info, nothing.iterations) == (0, 0)
    np.testing.assert_array_equal(nothing.x, 0)
    exact = np.linalg.solve(A, B)
    there = solver(A, B, exact, rtol=1e-10)
    assert (there.info, there.iterations) == (0, 0)
    np.testing.assert_allclose(there.x, exact)
    empty = solver(A, B[:, :0])
    assert (empty.info, empty.x.shape) == (0, (12, 0))
    np.testing.assert_allclose(solver(np.array([[2.0]]), np.array([1.0])).x, [0.5])
    loose = solver(A, B, rtol=0.0, atol=1e-2)
    assert loose.converged.all()
    assert (np.linalg.norm(B - A @ loose.x, axis=0) <= 1e-2).all()
    early = solver(A, B, rtol=1e-12, maxiter=2)
    assert (early.info, early.iterations) == (2, 2)
    with pytest.raises(ValueError, match="maxiter"):
        solver(A, B, maxiter=0)
    with pytest.raises(ValueError, match="NaN or infinite"):
        solver(A, B * np.nan)


def test_every_solver_keeps_single_precision_and_refuses_to_mix_it(solver):
    single = A.real.astype("float32") + 30 * np.eye(12, dtype="float32")
    single = (single + single.T) / 2
    result = solver(single, B[:, 0].real.astype("float32"), rtol=1e-4)
    assert result.info == 0
    assert result.x.dtype == "float32"
    with pytest.raises(ValueError, match="mixes"):
        solver(single, B[:, 0].real)


@pytest.mark.parametrize("name", ["cg", "minres", "gmres"])
def test_every_solver_is_at_the_front_door(name):
    assert getattr(kl, name) is SOLVERS[name]


def test_unpacks_and_indexes():
    result = cg(np.diag([1.0, 4.0]), np.array([1.0, 1.0]))
    x, info = result
    assert result[0] is x is result.x
    assert result[1] == info == result.info == 0
    assert result[-1] == 0
    assert len(result) == 2
    with pytest.raises(IndexError):
        result[2]


def test_tells_its_status():
    result = cg(np.diag([1.0, 4.0]), np.array([1.0, 1.0]), maxiter=1, rtol=1e-10)
    assert repr(result) == f"KrylovResult({result.status})"
    assert result.status.startswith("not converged: after 1 iteration the relative residual is")
    assert result.status.endswith("(wanted 1.0e-10)")
    assert result.info == 1
