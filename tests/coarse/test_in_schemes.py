"""Laws of every coarse space inside every two-level scheme."""

from functools import cache

import numpy as np
import pytest

from kronlin import coarse
from kronlin.galerkin import Galerkin
from kronlin.krylov import lanczos
from kronlin.twolevel import two_level
from tests.coarse.spaces import SPACES, Level, dense
from tests.nets import fisher_by_definition, mlp_layers, random_layers
from tests.triples import SCHEMES, Triple, deflated_spectrum, formulas, random_spd
from tests.twolevel.cases import check_formula

SCHEME = pytest.mark.parametrize("scheme", SCHEMES)
SPACE = pytest.mark.parametrize("space", SPACES)


@cache
def level(net: str) -> Level:
    if net == "shared":
        return Level(random_layers(np.random.default_rng(3), 5, 2, [(3, 2), (2, 4), (3, 2)], 3))
    return Level(mlp_layers((4, 5, 3), "softmax", 6, activation="tanh", fisher="empirical")[0])


@cache
def problem(net: str, space: str) -> tuple[tuple, Triple]:
    """A, M, Z as operators, and as arrays (A by its definition)."""
    fine = level(net)
    Z = SPACES[space](fine)
    A = fisher_by_definition(fine.layers) + 0.1 * np.eye(fine.A.shape[0])
    return (fine.A, fine.M, Z), Triple(A, fine.M.to_dense(), dense(Z))


@SCHEME
@SPACE
@pytest.mark.parametrize("net", ["shared", "empirical"])
def test_formula(net, space, scheme):
    operators, triple = problem(net, space)
    assert check_formula(scheme, operators, triple).coarse.dropped == 0


@SCHEME
@SPACE
def test_only_the_range_counts(space, scheme):
    """Z ↦ Z R, R nonsingular, changes nothing."""
    (A, M, Z), triple = problem("shared", space)
    R = random_spd(np.random.default_rng(1), triple.k, 1)
    one, other = two_level(A, M, Z, scheme).to_dense(), two_level(A, M, Z @ R, scheme).to_dense()
    assert np.linalg.norm(one - other, 2) <= 1e-10 * formulas(*triple).sizes[scheme]


@SPACE
def test_dependent_columns_are_dropped_and_counted(space):
    """Beside Z a copy, a zero and a sum of its columns."""
    (A, _, Z), triple = problem("shared", space)
    own = triple.Z
    wide = np.concatenate([own, 0 * own[:, :1], own[:, :1], own[:, :1] - 2 * own[:, -1:]], axis=1)
    one, other = Galerkin(A, Z), Galerkin(A, wide)
    assert (one.dropped, other.dropped) == (0, 3)
    size = np.linalg.norm(one.Q.to_dense(), 2)
    assert np.linalg.norm(one.Q.to_dense() - other.Q.to_dense(), 2) <= 1e-10 * size


def nested(name: str, k: int):
    fine = level("shared")
    if name == "ritz":
        return coarse.ritz(lanczos(fine.A, 12, fine.M), k, which="largest")
    if name == "mismatch":
        return coarse.mismatch(fine.exact, fine.M, k, "ratio")
    if name == "krylov":
        return coarse.krylov(fine.K, fine.M, depth=k)
    return coarse.spectral(fine.K, k, name)


@pytest.mark.parametrize("name", ["smallest", "largest", "ritz", "mismatch", "krylov"])
def test_nested_spaces_improve_monotonically(name):
    """μ_max falls, μ_min rises, and Q grows."""
    A, M = level("shared").A.to_dense(), level("shared").M.to_dense()
    before, Q = np.array([0.0, np.inf]), np.zeros(A.shape)
    for k in (1, 2, 3):
        Z = nested(name, k).to_dense()
        mu = deflated_spectrum(A, M, Z)
        assert mu[0] >= before[0] * (1 - 1e-9)
        assert mu[-1] <= before[1] * (1 + 1e-9)
        larger = Galerkin(A, Z).Q.to_dense()
        assert np.linalg.eigvalsh(larger - Q)[0] >= -1e-12 * np.linalg.norm(larger, 2)
        before, Q = mu[[0, -1]], larger


@SPACE
def test_one_step_of_a_def2_is_never_worse_than_the_fine_step(space):
    """Afterwards the residual is orthogonal to Z, and ‖error‖²_A has dropped by cᴴ E c."""
    (A, M, Z), triple = problem("shared", space)
    b = level("shared").b
    B = two_level(A, M, Z, "A-DEF2")
    exact, fine, two = np.linalg.solve(triple.A, b), M @ b, B @ b

    def error(x):
        return float((x - exact) @ triple.A @ (x - exact))

    unit = triple.Z / np.linalg.norm(triple.Z, axis=0)
    assert np.abs(unit.T @ (b - A @ two)).max() <= 1e-10 * np.linalg.norm(b)
    c = np.linalg.solve(B.coarse.E, triple.Z.T @ (b - A @ fine))
    drop = float(c @ B.coarse.E @ c)
    assert drop > 0
    np.testing.assert_allclose(error(two), error(fine) - drop, rtol=1e-8)


# Arrays of the user


@pytest.mark.parametrize("use", [lambda Z: two_level(np.eye(3), np.eye(3), Z, "AD"), lambda Z: Galerkin(np.eye(3), Z)])
def test_a_vector_is_refused_with_advice(lib, use):
    with pytest.raises(ValueError, match=r"pass Z \(p, k\), for one vector z\[:, None\], not \(3,\)"):
        use(lib.asarray(np.ones(3)))
