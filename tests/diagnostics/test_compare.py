"""compare, against an evaluation that forms every matrix."""

import numpy as np
import pytest

import kronlin as kl
import kronlin.diagnostics._compare as module
from tests.libraries import NUMPY
from tests.matrices import positive
from tests.members import MEMBERS
from tests.nets import layers_of, reference
from tests.triples import formulas


def case(lib=NUMPY) -> tuple:
    """The layers, Fisher matrix and gradient of the 4-5-4-3 net with stored values."""
    data = reference("mlp_tanh_mse_bias")
    return layers_of(data, lib=lib), data["F"], lib.asarray(data["grad"])


def dense_cg(A, b, steps, rtol, project=None, start=None, M=None):
    """Textbook PCG; `project` is applied to M r as A-DEF2 does, with its re-projection of the residual."""
    x = np.zeros_like(b) if start is None else start
    r = b - A @ x
    history = [np.linalg.norm(r) / np.linalg.norm(b)]
    y = M @ r
    p = y
    rho = r @ y
    while history[-1] > rtol and len(history) <= steps:
        w = A @ p
        alpha = rho / (p @ w)
        x, r = x + alpha * p, r - alpha * w
        if project is not None:
            Q = project
            x, r = x + Q @ r, r - A @ (Q @ r)
        history.append(np.linalg.norm(r) / np.linalg.norm(b))
        y = M @ r
        p, rho = y + (r @ y) / rho * p, r @ y
    return history


def slack(history):
    """By how many steps two runs of one recurrence may differ: a tenth of them, which the rounding of the BLAS decides.

    The Lanczos vectors behind conjugate gradients lose their orthogonality, so that late steps are not determined.
    """
    return max(1, round(0.1 * (len(history) - 1)))


def assert_same_run(row, history):
    """The first steps agree to rounding, and the number of them within the slack."""
    np.testing.assert_allclose(row.residuals[:8], history[:8], rtol=1e-6)
    assert abs(row.iterations - (len(history) - 1)) <= slack(history)


@pytest.mark.parametrize("lam", [1e-1, 1e-2])
@pytest.mark.parametrize("space", ["constants", "largest"])
def test_every_column_agrees_with_brute_force(lam, space):
    layers, F, b = case()
    p = len(b)
    K = kl.kfac(layers)
    A = kl.fisher(layers).damped(lam)
    M = K.damped(lam).inverse()
    Z = kl.coarse.nicolaides(K) if space == "constants" else kl.coarse.spectral(K, 3, "largest")
    schemes = ("AD", "A-DEF1", "A-DEF2", "BNN", "DEF1", "DEF2", "R-BNN1", "R-BNN2")
    candidates = {"none": None, "K-FAC": lambda: M, "array": np.linalg.inv(F + np.eye(p))}
    candidates |= {name: lambda name=name: kl.two_level(A, M, Z, name) for name in schemes}
    candidates["step"] = lambda: lambda r: kl.twolevel.galerkin_step(A, M, Z, r)
    table = kl.compare(A, candidates, b)

    Ad, Md, Zd, eye = F + lam * np.eye(p), M.to_dense(), Z.to_dense(), np.eye(p)
    Q = Zd @ np.linalg.solve(Zd.T @ Ad @ Zd, Zd.T)
    P = eye - Ad @ Q
    formulas = {
        "none": eye, "K-FAC": Md, "array": np.linalg.inv(F + np.eye(p)), "AD": Md + Q, "A-DEF1": Md @ P + Q,
        "A-DEF2": P.T @ Md + Q, "BNN": P.T @ Md @ P + Q, "DEF1": Md @ P, "DEF2": P.T @ Md, "R-BNN1": P.T @ Md @ P,
        "R-BNN2": P.T @ Md,
    }  # fmt: skip
    exact = np.linalg.solve(Ad, b)
    basis = np.column_stack([Md @ b, Zd])
    steps = {name: B @ b for name, B in formulas.items()}
    steps["step"] = (
        basis @ np.linalg.lstsq(np.linalg.cholesky(Ad).T @ basis, np.linalg.solve(np.linalg.cholesky(Ad), b))[0]
    )

    def energy(v):
        return np.sqrt(v @ Ad @ v)

    assert [row.name for row in table.rows] == list(candidates)
    for name, x in steps.items():
        row = table[name]
        assert row.error == pytest.approx(energy(x - exact) / energy(exact), rel=1e-8)
        best = (x @ Ad @ exact) / (x @ Ad @ x)
        assert row.scaled_error == pytest.approx(energy(best * x - exact) / energy(exact), rel=1e-6, abs=1e-8)
        assert row.cosine == pytest.approx(x @ exact / np.linalg.norm(x) / np.linalg.norm(exact), rel=1e-8)
    for name, B in formulas.items():
        spectrum = np.sort(np.linalg.eigvals(B @ Ad).real)
        spectrum = spectrum[spectrum > 1e-10 * spectrum[-1]]
        if name == "A-DEF1":
            assert table[name].iterations is None
        else:
            assert table[name].converged
            assert table[name].residuals[-1] <= 1e-8
        assert table[name].condition == pytest.approx(spectrum[-1] / spectrum[0], rel=1e-2)
    for name in ("none", "K-FAC", "array", "AD", "BNN"):
        history = dense_cg(Ad, b, 10 * p, 1e-8, M=formulas[name])
        assert_same_run(table[name], history)
    history = dense_cg(Ad, b, 10 * p, 1e-8, project=Q, start=Q @ b, M=formulas["A-DEF2"])
    assert_same_run(table["A-DEF2"], history)
    for name in ("DEF1", "DEF2", "R-BNN1", "R-BNN2"):
        assert abs(table[name].iterations - table["A-DEF2"].iterations) <= 1 + slack(history)
    assert (table["step"].condition, table["step"].iterations) == (None, None)


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_damped_is_a_preconditioner(name):
    layers, F, b = case()
    lam = 0.3
    A, K = kl.fisher(layers).damped(lam), MEMBERS[name](layers)
    two_terms = name in ("KPSVD 2", "K-FAC corrected")
    table = kl.compare(
        A, {name: lambda: (kl.factored_damping if two_terms else kl.Operator.damped)(K, lam).inverse()}, b
    )
    dense = K.to_dense() + lam * np.eye(len(b))
    if two_terms:
        dense = kl.factored_damping(K, lam).to_dense()
    Ad, M = F + lam * np.eye(len(b)), np.linalg.inv(dense)
    exact = np.linalg.solve(Ad, b)
    error = M @ b - exact
    spectrum = np.linalg.eigvals(M @ Ad).real
    row = table[name]
    assert row.error == pytest.approx(np.sqrt(error @ Ad @ error / (exact @ Ad @ exact)), rel=1e-8)
    assert row.condition == pytest.approx(max(spectrum) / min(spectrum), rel=1e-2)
    assert row.converged
    assert_same_run(row, dense_cg(Ad, b, 10 * len(b), 1e-8, M=M))


def test_builders_are_timed_and_ready_operators_are_not():
    table = kl.compare(np.diag([1.0, 2.0]), {"built": lambda: np.eye(2), "ready": np.eye(2)}, np.ones(2))
    assert table["built"].setup > 0
    assert table["ready"].setup is None
    assert table["ready"].apply > 0


def test_a_row_without_convergence_says_so():
    rng = np.random.default_rng(0)
    A = np.diag(np.logspace(0, 6, 50))
    table = kl.compare(A, {"none": None}, rng.normal(size=50), maxiter=5)
    assert not table["none"].converged
    assert table.fastest is None
    assert ">5" in str(table)


def test_callback_hears_every_name():
    heard = []
    kl.compare(np.eye(2), {"a": None, "b": np.eye(2)}, np.ones(2), callback=heard.append)
    assert heard == ["a", "b"]


def test_zero_right_hand_side():
    row = kl.compare(np.eye(2), {"none": None}, np.zeros(2))["none"]
    assert (row.error, row.scaled_error, row.cosine) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("b", [np.ones(3), np.ones((2, 1))])
def test_wrong_right_hand_side(b):
    with pytest.raises(ValueError, match=r"compare takes b of shape \(2,\)"):
        kl.compare(np.eye(2), {"none": None}, b)


def test_nan_right_hand_side():
    with pytest.raises(ValueError, match="NaN or infinite"):
        kl.compare(np.eye(2), {"none": None}, np.array([1.0, np.nan]))


def test_on_every_array_library(lib):
    if lib.name == "jax":
        pytest.skip("JAX compiles every step of the growing Lanczos basis anew; tests/krylov has it")

    def table(lib):
        layers, _, b = case(lib)
        A, K = kl.fisher(layers).damped(0.1), kl.kfac(layers)
        M, Z = K.damped(0.1).inverse(), kl.coarse.spectral(K, 2, "largest")
        return kl.compare(A, {"BNN": kl.two_level(A, M, Z, "BNN"), "A-DEF2": kl.two_level(A, M, Z, "A-DEF2")}, b)

    for mine, expected in zip(table(lib).rows, table(NUMPY).rows, strict=True):
        assert mine.error == pytest.approx(expected.error, rel=1e-8)
        assert mine.iterations == expected.iterations
        assert mine.condition == pytest.approx(expected.condition, rel=1e-2)


@pytest.mark.parametrize("scheme", ["DEF1", "DEF2", "R-BNN1", "R-BNN2"])
def test_the_spectrum_of_a_singular_scheme_is_taken_from_a_regular_operator(scheme, monkeypatch):
    """A large null space fills with rounding errors, which Lanczos can take for eigenvalues."""
    seen, real = [], module.condition_number
    monkeypatch.setattr(module, "condition_number", lambda A, M, **options: seen.append(M) or real(A, M, **options))
    A, M, Z = positive(8, condition=100.0), positive(8, seed=1), np.eye(8)[:, :3]
    B = kl.two_level(kl.assume(kl.Dense(A), "pd"), kl.assume(kl.Dense(M), "pd"), Z, scheme)
    found = kl.compare(A, {"it": B}, np.ones(8))["it"].condition
    assert seen[-1].is_pd
    spectrum = np.sort(np.linalg.eigvals(formulas(A, M, Z).schemes[scheme] @ A).real)[3:]
    assert found == pytest.approx(spectrum[-1] / spectrum[0], rel=1e-6)
