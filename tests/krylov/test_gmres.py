"""GMRES against dense solutions and SciPy, for operators and preconditioners that no other solver takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator
from scipy.sparse.linalg import gmres as scipy_gmres

import kronlin as kl
from kronlin.krylov import gmres
from tests.krylov.systems import NETS, check_solution, net, with_spectrum

RANDOM = np.random.default_rng(0)
A = 3 * np.eye(40) + RANDOM.standard_normal((40, 40)) / 2.5
B = RANDOM.standard_normal((40, 3)) * np.array([1.0, 1e-9, 1e7])
CYCLE = np.roll(np.eye(6), 1, axis=0)


def relative_residual(matrix, x, b):
    return np.linalg.norm(b - matrix @ x, axis=0) / np.linalg.norm(b, axis=0)


@given(st.integers(1, 8), st.integers(0, 3), st.booleans(), st.integers(0, 2**20))
def test_solves(n, columns, is_complex, seed):
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((n, n)) + (1j * random.standard_normal((n, n)) if is_complex else 0)
    b = random.standard_normal((n, columns) if columns else n)
    x0 = random.standard_normal(b.shape) if seed % 2 else None
    result = gmres(matrix, b, x0, rtol=1e-9)
    assert result.x.shape == b.shape
    if np.linalg.cond(matrix) < 1e5:
        assert result.converged.all(), result.status
        assert result.iterations <= 2 * n
        np.testing.assert_allclose(result.x, np.linalg.solve(matrix, b), atol=1e-3 * np.abs(result.x).max())


@pytest.mark.parametrize("restart", [5, 40])
def test_iterates_are_those_of_scipy(restart):
    b, theirs, ours = B[:, 0], [], []
    scipy_gmres(
        A, b, rtol=1e-9, restart=restart, maxiter=3, callback=lambda x: theirs.append(x.copy()), callback_type="x"
    )
    gmres(A, b, rtol=1e-9, restart=restart, maxiter=3 * restart, callback=ours.append)
    ends = ours[restart - 1 :: restart] if restart < 40 else [ours[-1]]
    np.testing.assert_allclose(ends, theirs, rtol=1e-7, atol=1e-7)


def test_residual_never_grows_and_is_the_true_one():
    seen = []
    result = gmres(A, B[:, 0], rtol=1e-10, restart=7, M=np.diag(1 / np.diag(A)), callback=seen.append)
    assert result.converged.all()
    assert (np.diff(result.residuals[:, 0]) <= 1e-12).all()
    true = relative_residual(A, np.stack(seen, axis=1), B[:, :1])
    np.testing.assert_allclose(result.residuals[1:, 0], true, rtol=1e-6, atol=1e-13)
    np.testing.assert_array_equal(seen[-1], result.x)
    assert len(seen) == result.iterations


def test_columns_have_spaces_of_their_own_and_share_products():
    widths = []

    def product(x):
        widths.append(x.shape[1])
        return A @ x

    result = gmres(kl.Function(product, shape=A.shape, dtype="float64"), B, rtol=1e-8)
    assert set(widths) == {3}
    assert len(widths) == result.iterations + -(-result.iterations // 30) + 1, "one a step, one a cycle, and the end"
    for column, b in enumerate(B.T):
        alone = gmres(A, b, rtol=1e-8)
        assert abs(result.column_iterations[column] - alone.iterations) <= 1
        np.testing.assert_allclose(result.x[:, column], alone.x, rtol=1e-5, atol=1e-6 * np.abs(alone.x).max())


@pytest.mark.parametrize("check_every", [3, 100])
def test_result_does_not_depend_on_the_looks(check_every):
    often, seldom = gmres(A, B, restart=8), gmres(A, B, restart=8, check_every=check_every)
    np.testing.assert_array_equal(often.x, seldom.x)
    np.testing.assert_array_equal(often.residuals, seldom.residuals)
    np.testing.assert_array_equal(often.column_iterations, seldom.column_iterations)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("scheme", ["A-DEF1", "A-DEF2", "BNN", "AD"])
def test_takes_every_nonsingular_two_level_scheme(name, scheme):
    matrix, M, Z, b, _ = net(name)
    plain = gmres(matrix, b, M=M, rtol=1e-10, restart=100)
    result = gmres(matrix, b, M=kl.two_level(matrix, kl.assume(M, "pd"), Z, scheme), rtol=1e-10, restart=100)
    assert result.converged.all(), result.status
    assert scheme == "AD" or result.iterations <= plain.iterations + 1, "AD may also be worse"
    np.testing.assert_allclose(result.x, np.linalg.solve(matrix, b), rtol=1e-6, atol=1e-7)


def test_the_preconditioner_may_change_from_step_to_step():
    spd = with_spectrum(np.logspace(0, 4, 60))
    b = np.ones(60)
    blocks = []

    def inner(v):
        blocks.append(v.shape)
        return kl.cg(spd, v, rtol=0.1, maxiter=5 + len(blocks)).x

    result = gmres(spd, b, M=inner, rtol=1e-9)
    assert result.converged.all(), result.status
    assert set(blocks) == {(60, 1)}
    assert len(blocks) == result.iterations < gmres(spd, b, rtol=1e-9).iterations / 3
    np.testing.assert_allclose(result.x, np.linalg.solve(spd, b), rtol=1e-6)


def test_linear_operators_of_scipy_are_operators_and_not_functions():
    scaled = LinearOperator((40, 40), matvec=lambda x: x.ravel() / np.diag(A), dtype="float64")
    result = gmres(LinearOperator((40, 40), matvec=lambda x: A @ x, dtype="float64"), B, M=scaled, rtol=1e-8)
    np.testing.assert_allclose(result.x, gmres(A, B, M=np.diag(1 / np.diag(A)), rtol=1e-8).x, rtol=1e-8, atol=1e-16)
    with pytest.raises(ValueError, match="of the shape"):
        gmres(A, B, M=LinearOperator((39, 39), matvec=lambda x: x, dtype="float64"))


def test_happy_breakdown():
    result = gmres(np.diag([1.0, 2.0, 2.0, 2.0]), np.ones(4), rtol=1e-12)
    assert result.info == 0
    assert result.iterations == 2
    np.testing.assert_allclose(result.x, [1, 0.5, 0.5, 0.5])


@pytest.mark.parametrize("matrix", [np.diag([1.0, 0.0]), np.array([[0.0, 1.0], [0.0, 0.0]])])
def test_exhausted_space_of_a_singular_operator_is_reported(matrix):
    b = np.array([1.0, 1.0]) if matrix[0, 0] else np.array([1.0, 0.0])
    result = gmres(np.kron(np.eye(2), matrix), np.stack([np.tile(b, 2), np.tile(matrix @ b, 2)], axis=1))
    assert result.info == -4
    assert "exhausted" in result.status
    assert "singular" in result.status
    np.testing.assert_array_equal(result.converged, [False, True])
    assert np.isfinite(result.x).all()


def test_consistent_singular_system():
    matrix = np.diag([0.0, 1.0, 2.0, 3.0])
    result = gmres(matrix, np.array([0.0, 1.0, 1.0, 1.0]), rtol=1e-12)
    assert result.info == 0
    np.testing.assert_allclose(result.x, [0, 1, 1 / 2, 1 / 3], atol=1e-12)


def test_stagnation_is_reported():
    b = np.eye(6)[:, 0]
    result = gmres(CYCLE, b, restart=3)
    assert result.info == result.iterations == 3
    assert "larger restart" in result.status
    np.testing.assert_array_equal(result.x, 0)
    assert gmres(CYCLE, b, restart=6).info == 0


def test_says_how_far_it_came():
    result = gmres(A, B, rtol=1e-8, maxiter=4)
    assert (result.info, result.iterations) == (4, 4)
    assert result.status.startswith("not converged: after 4 iterations")
    np.testing.assert_allclose(result.residuals[-1], relative_residual(A, result.x, B), rtol=1e-6)


@pytest.mark.parametrize("place", ["A", "M"])
def test_a_rotten_column_does_not_spoil_its_neighbours(place):
    def rotten(x):
        return np.stack([A @ x[:, 0] if place == "A" else x[:, 0], np.full(40, np.nan if x.any() else 0.0)], axis=1)

    with np.errstate(invalid="ignore"):
        if place == "A":
            result = gmres(kl.Function(rotten, shape=A.shape, dtype="float64"), B[:, :2], rtol=1e-8)
        else:
            result = gmres(A, B[:, :2], M=rotten, rtol=1e-8)
    assert result.info == -3
    assert "not finite" in result.status
    np.testing.assert_array_equal(result.converged, [True, False])
    np.testing.assert_array_equal(result.x[:, 1], 0)
    assert np.isfinite(result.residuals).all()


def test_edges():
    zero = gmres(A, 0 * B)
    assert (zero.info, zero.iterations) == (0, 0)
    np.testing.assert_array_equal(zero.x, 0)
    exact = np.linalg.solve(A, B)
    assert gmres(A, B, exact, rtol=1e-9).iterations == 0
    assert gmres(A, B[:, :0]).x.shape == (40, 0)
    assert gmres(np.array([[-2.0]]), np.array([1.0])).x == [-0.5]
    loose = gmres(A, B[:, 0], rtol=0.0, atol=1e-3)
    assert loose.info == 0
    assert np.linalg.norm(B[:, 0] - A @ loose.x) <= 1e-3 < np.linalg.norm(B[:, 0] - A @ gmres(A, B[:, 0], maxiter=3).x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_all_array_libraries(lib, dtype):
    n = 2 if lib.name == "jax" else 4
    matrix = np.triu(np.ones((n, n))) + np.eye(n) * (1 + (1j if dtype == "complex128" else 0))
    b, M = np.random.default_rng(1).standard_normal((n, 2)), np.diag(1 / np.diag(matrix))
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    result = gmres(*(lib.asarray(x, dtype) for x in (matrix, b)), M=lib.asarray(M, dtype), rtol=tolerance)
    check_solution(result, lib, dtype, matrix, b, tolerance)


def test_refusals():
    with pytest.raises(ValueError, match="square A"):
        gmres(np.ones((2, 3)), np.ones(2))
    with pytest.raises(ValueError, match=r"M ≈ A⁻¹ of the shape"):
        gmres(A, B, M=np.eye(2))
    with pytest.raises(ValueError, match=r"M returned numpy float64 of shape \(39, 3\)"):
        gmres(A, B, M=lambda v: v[1:])
    with pytest.raises(ValueError, match="restart"):
        gmres(A, B, restart=0)
    with pytest.raises(ValueError, match="b has an entry"):
        gmres(A, B * np.nan)
