"""Laws of `galerkin_step`: the minimiser of the energy over the span of M b, Z and what else is given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import rules
from kronlin.curvature import fisher, kfac
from kronlin.galerkin import Galerkin
from kronlin.operators import Dense
from kronlin.twolevel import galerkin_step, two_level
from tests.libraries import NUMPY
from tests.nets import close, tiny_layers
from tests.triples import energy_norm, energy_root, random_spd, triples
from tests.twolevel.cases import SPACES, coarse_space, fisher_triple, small_fishers


def best(A, b, *directions):
    """The minimiser by dense least squares: ‖A^½ (W c) - A^-½ b‖, on unit columns."""
    W = np.concatenate([d.reshape(len(A), -1) for d in directions], axis=1)
    lengths = energy_norm(A, W)
    W = W[:, lengths > 0] / lengths[lengths > 0]
    root = energy_root(A)
    c = np.linalg.lstsq(root @ W, np.linalg.solve(root, b), rcond=1e-11)[0]
    return W @ c


def error(A, x, b):
    return energy_norm(A, x - np.linalg.solve(A, b))


def check_minimiser(A, found, b, *directions, tolerance=1e-9):
    """As good as dense least squares."""
    scale = energy_norm(A, np.linalg.solve(A, b))
    wanted = best(A, b, *directions)
    assert energy_norm(A, found - wanted) <= tolerance * scale
    assert error(A, found, b) <= error(A, wanted, b) + tolerance * scale


@given(triples(hardest=4), st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_minimises_the_energy(triple, seed, count):
    A, M, Z = triple
    rng = np.random.default_rng(seed)
    b, extra = rng.standard_normal(len(A)), [rng.standard_normal(len(A)) for _ in range(count)]
    check_minimiser(A, galerkin_step(A, M, Z, b, extra), b, M @ b, Z, *extra)
    check_minimiser(A, galerkin_step(A, M, None, b, extra), b, M @ b, *extra)


@given(triples(hardest=4), st.integers(0, 2**32 - 1))
def test_never_worse_than_what_it_combines(triple, seed):
    """M b at its best length, every c M b, the coarse step Q b, A-DEF2 and every extra direction."""
    A, M, Z = triple
    rng = np.random.default_rng(seed)
    b, momentum = rng.standard_normal(len(A)), rng.standard_normal(len(A))
    step, more = galerkin_step(A, M, Z, b), galerkin_step(A, M, Z, b, [momentum])
    fine = M @ b
    scaled = fine * (fine @ b) / (fine @ A @ fine)
    slack = 1e-9 * energy_norm(A, np.linalg.solve(A, b))
    for other in (0 * b, fine, scaled, Galerkin(A, Z).Q @ b, two_level(A, M, Z, "A-DEF2") @ b):
        assert error(A, step, b) <= error(A, other, b) + slack
    for other in (step, momentum, step + momentum):
        assert error(A, more, b) <= error(A, other, b) + slack


@given(triples(hardest=4), st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_the_length_of_the_fine_step_is_chosen(triple, seed, c):
    A, M, Z = triple
    b = np.random.default_rng(seed).standard_normal(len(A))
    one, other = galerkin_step(A, M, Z, b), galerkin_step(A, c * M, Z, b)
    assert energy_norm(A, one - other) <= 1e-9 * energy_norm(A, np.linalg.solve(A, b))


@pytest.mark.parametrize("net", small_fishers())
@pytest.mark.parametrize("space", SPACES)
def test_on_fisher_matrices(net, space):
    operators, (A, M, Z) = fisher_triple(*small_fishers()[net], space)
    b, momentum = np.linspace(-1, 2, len(A)), np.cos(np.arange(len(A)))
    check_minimiser(A, galerkin_step(*operators, b, [momentum]), b, M @ b, Z, momentum)
    residual = Z.T @ (b - A @ galerkin_step(*operators, b))
    assert np.abs(residual).max() <= 1e-10 * np.linalg.norm(b) * np.abs(Z).max() * len(b)


@given(triples(hardest=3), st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_several_right_hand_sides(triple, seed, count):
    """Each column for itself, with its own column of every extra direction."""
    A, M, Z = triple
    rng = np.random.default_rng(seed)
    b, extra = (rng.standard_normal((len(A), count)) for _ in range(2))
    found = galerkin_step(A, M, Z, b, [extra])
    assert found.shape == b.shape
    for j in range(count):
        single = galerkin_step(A, M, Z, b[:, j], [extra[:, j]])
        assert energy_norm(A, found[:, j] - single) <= 1e-9 * energy_norm(A, np.linalg.solve(A, b[:, j]))


@given(triples(hardest=4), st.integers(0, 2**32 - 1))
def test_a_fine_step_inside_the_coarse_space(triple, seed):
    """M b = Z c adds nothing: the answer is Q b."""
    A, _, Z = triple
    rng = np.random.default_rng(seed)
    unit = Z / np.linalg.norm(Z, axis=0)
    b, c = rng.standard_normal(len(A)), rng.standard_normal(triple.k)
    M = np.outer(unit @ c, b) / (b @ b)
    check_minimiser(A, galerkin_step(A, M, Z, b), b, Z, tolerance=1e-6)
    found = galerkin_step(A, M, Z, b, [unit @ rng.standard_normal(triple.k)])
    check_minimiser(A, found, b, Z, tolerance=1e-6)


@given(triples(hardest=4), st.integers(0, 2**32 - 1))
def test_a_coarse_space_that_is_everything(triple, seed):
    A, M, _ = triple
    b = np.random.default_rng(seed).standard_normal(len(A))
    found, solution = galerkin_step(A, M, np.linalg.qr(A @ M)[0], b, [b]), np.linalg.solve(A, b)
    assert energy_norm(A, found - solution) <= 1e-10 * triple.condition * energy_norm(A, solution)


@pytest.mark.parametrize("hardest", [6, 8])
@pytest.mark.parametrize("k", [3, 8])
def test_rounding_errors_are_no_direction(hardest, k):
    """Where M b lies in Z and A is badly conditioned, what the projection leaves of it is noise."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        A, b = random_spd(rng, 8, hardest), rng.standard_normal(8)
        Z = np.linalg.qr(rng.standard_normal((8, k)))[0]
        M = np.outer(Z @ rng.standard_normal(k), b) / (b @ b)
        found = error(A, galerkin_step(A, M, Z, b), b)
        scale = energy_norm(A, np.linalg.solve(A, b))
        assert found <= error(A, best(A, b, Z), b) + 1e-15 * 10.0**hardest * scale


@given(triples(hardest=4), st.integers(0, 2**32 - 1))
def test_equal_directions(triple, seed):
    """A momentum that is M b itself, or a multiple, or zero, changes nothing."""
    A, M, Z = triple
    b = np.random.default_rng(seed).standard_normal(len(A))
    one = galerkin_step(A, M, Z, b)
    for extra in ([M @ b], [-3 * (M @ b), 0 * b], [0 * b]):
        other = galerkin_step(A, M, Z, b, extra)
        assert energy_norm(A, one - other) <= 1e-9 * energy_norm(A, np.linalg.solve(A, b))


def test_zero():
    np.testing.assert_array_equal(galerkin_step(np.eye(3), np.eye(3), np.ones((3, 1)), np.zeros(3)), np.zeros(3))


def test_exact_where_a_direction_is_the_solution():
    rng = np.random.default_rng(0)
    A, b = random_spd(rng, 6, 2), rng.standard_normal(6)
    solution = np.linalg.solve(A, b)
    close(galerkin_step(A, np.eye(6), np.ones((6, 1)), b, [5 * solution]), solution, 1e-11)
    close(galerkin_step(A, -np.linalg.inv(A), None, b), solution, 1e-11)


def test_better_than_the_correction_of_an_overshoot():
    """A fine step ten times too long: A-DEF2 corrects it only inside the coarse space."""
    rng = np.random.default_rng(0)
    A, b = random_spd(rng, 8, 2), rng.standard_normal(8)
    M, Z = 10 * np.linalg.inv(A), np.ones((8, 1))
    assert error(A, two_level(A, M, Z, "A-DEF2") @ b, b) > error(A, 0 * b, b)
    assert error(A, galerkin_step(A, M, Z, b), b) < 1e-10


def test_a_galerkin_is_used_again(monkeypatch):
    operators, _ = fisher_triple(*small_fishers()["classifier"], "largest")
    A, M, Z = operators
    coarse, b = Galerkin(A, Z), np.ones(A.shape[0])
    wanted = galerkin_step(A, M, Z, b)
    monkeypatch.setattr(rules, "project", None)
    np.testing.assert_array_equal(galerkin_step(A, M, coarse, b), wanted)


@pytest.mark.parametrize("count", [0, 2])
def test_one_product_with_the_matrix_a_direction(monkeypatch, count):
    (A, M, Z), _ = fisher_triple(*small_fishers()["classifier"], "largest")
    coarse, b, calls = Galerkin(A, Z), np.ones(A.shape[0]), []
    original = type(A.terms[0])._matmat

    def counted(self, x):
        calls.append(x.shape[1])
        return original(self, x)

    monkeypatch.setattr(type(A.terms[0]), "_matmat", counted)
    galerkin_step(A, M, coarse, b, [b + j for j in range(count)])
    assert calls == [1 + count]


def small(lib, dtype="float64"):
    layers = tiny_layers(lib, dtype)
    return fisher(layers).damped(0.5), kfac(layers).damped(0.5).inverse(), coarse_space(layers, "nicolaides")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_library(lib, dtype):
    b, extra = np.arange(12.0), np.cos(np.arange(12.0))
    found = galerkin_step(*small(lib, dtype), lib.asarray(b, dtype), [lib.asarray(extra, dtype)])
    assert found.dtype == getattr(lib.xp, dtype)
    assert lib.owns(found)
    close(lib.numpy(found), galerkin_step(*small(NUMPY), b, [extra]), 1e-4 if dtype == "float32" else 1e-11)


def test_complex():
    rng = np.random.default_rng(0)
    B = rng.standard_normal((6, 6)) + 1j * rng.standard_normal((6, 6))
    A, b, Z = B @ B.conj().T + np.eye(6), B[0], B[:, 1:3]
    x = galerkin_step(A, np.eye(6, dtype=complex), Z, b)
    span = np.concatenate([b[:, None], Z], axis=1)
    np.testing.assert_allclose(span.conj().T @ (b - A @ x), 0, atol=1e-11)


# Errors


def test_not_finite():
    with pytest.raises(ValueError, match="galerkin_step: b has an entry that is NaN or infinite"):
        galerkin_step(np.eye(2), np.eye(2), None, np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="extra direction 1 has an entry that is NaN or infinite"):
        galerkin_step(np.eye(2), np.eye(2), None, np.ones(2), [np.ones(2), np.array([np.inf, 0])])


def test_shapes():
    with pytest.raises(ValueError, match=r"an extra direction has shape \(3,\), b has \(2,\)"):
        galerkin_step(np.eye(2), np.eye(2), None, np.ones(2), [np.ones(3)])
    with pytest.raises(ValueError, match=r"b has shape \(3,\): pass \(2,\) or \(2, k\)"):
        galerkin_step(np.eye(2), np.eye(2), None, np.ones(3))
    with pytest.raises(ValueError, match=r"galerkin_step takes A \(p, p\) and M \(p, p\), not \(2, 2\) and \(3, 3\)"):
        galerkin_step(np.eye(2), np.eye(3), None, np.ones(3))
    with pytest.raises(ValueError, match=r"the coarse space is 3×1, so A must be 3×3"):
        galerkin_step(np.eye(2), np.eye(2), np.ones((3, 1)), np.ones(2))
    with pytest.raises(ValueError, match=r"b has shape \(2, 1, 1\): pass \(2,\) or \(2, k\)"):
        galerkin_step(np.eye(2), np.eye(2), None, np.ones((2, 1, 1)))


def test_indefinite():
    with pytest.raises(ValueError, match="A is not positive definite"):
        galerkin_step(np.diag([1.0, -1.0]), np.eye(2), None, np.array([0.0, 1.0]))


def test_mixed_kinds():
    with pytest.raises(ValueError, match="float32"):
        galerkin_step(Dense(np.eye(2)), np.eye(2), None, np.ones(2, np.float32))
    with pytest.raises(ValueError, match="float32"):
        galerkin_step(Dense(np.eye(2)), np.eye(2), None, np.ones(2), [np.ones(2, np.float32)])
