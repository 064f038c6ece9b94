"""approximation_error, against an evaluation that forms every matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
import kronlin.diagnostics._approximation_error as module
from kronlin.operators import fallback
from tests.libraries import NUMPY, STRICT_DEVICE
from tests.matrices import hermitian, normal, positive
from tests.members import MEMBERS
from tests.nets import layer_lists, mlp_layers, random_layers, tiny_layers


def dense(F: np.ndarray, K: np.ndarray, lam: float) -> tuple[float, float, float]:
    """The three measures from eigenvalues of formed matrices."""
    A, B = (X + lam * np.eye(len(X)) for X in (F, K))
    ratios = np.linalg.eigvals(np.linalg.solve(B, A)).real
    return (
        np.linalg.norm(F - K) / np.linalg.norm(F),
        np.linalg.norm(F - K, 2) / np.linalg.norm(F, 2),
        float(np.sum(ratios - np.log(ratios) - 1)),
    )


@pytest.mark.parametrize("shared", [False, True], ids=["S = 1", "shared weights"])
@pytest.mark.parametrize("few", [False, True], ids=["many columns", "few columns"])
def test_every_member_agrees_with_dense_evaluation(shared, few):
    rng = np.random.default_rng(1)
    layers = random_layers(rng, 3 if few else 9, 2, [(3, 4), (2, 3)], [3, 2] if shared else 1)
    lam, F = 1.0, kl.fisher(layers)
    found = kl.approximation_error(F, {name: build(layers) for name, build in MEMBERS.items()}, lam)
    assert [row.name for row in found.rows] == list(MEMBERS)
    for name, build in MEMBERS.items():
        K, row = build(layers).to_dense(), found[name]
        lowest = np.linalg.eigvalsh(K)[0]
        frobenius, spectral, stein = dense(F.to_dense(), K, lam)
        assert row.frobenius == pytest.approx(frobenius, rel=1e-10)
        assert spectral * (1 - 1e-5) <= row.spectral <= spectral * (1 + 1e-12)
        if lowest < -1e-10:
            assert row.lowest == pytest.approx(lowest, rel=1e-8)
            assert "K is indefinite (lowest eigenvalue -" in row.remark
        else:
            assert row.lowest is None
        if lowest + lam > 0:
            assert row.stein == pytest.approx(stein, rel=1e-8)
            assert row.kl == row.stein / 2
        else:
            assert row.stein is row.kl is None
            assert "indefinite with λ" in row.remark


def test_block_tridiagonal_kfac_is_damped_already():
    layers, lam = random_layers(np.random.default_rng(2), 6, 2, [(3, 2), (2, 3), (2, 2)]), 0.5
    F, K = kl.fisher(layers).damped(lam), kl.tridiagonal_kfac(layers, lam)
    row = kl.approximation_error(F, {"K": K})["K"]
    assert row[1:4] == pytest.approx(dense(F.to_dense(), K.to_dense(), 0.0), rel=1e-5)
    assert row.remark is None


@given(layers=layer_lists(), lam=st.sampled_from([1e-2, 1.0]))
def test_order_and_distance_to_itself(layers, lam):
    """The nearest Kronecker product and the best eigenvalues are never further than K-FAC; nothing is nearer than F."""
    F = kl.block_diagonal_fisher(layers)
    found = kl.approximation_error(F, {name: MEMBERS[name](layers) for name in ("K-FAC", "EK-FAC", "KPSVD")}, lam)
    slack = found["K-FAC"].frobenius + 1e-7
    assert found["EK-FAC"].frobenius <= slack
    assert found["KPSVD"].frobenius <= slack
    assert all(row.stein >= 0 for row in found.rows)
    itself = kl.approximation_error(F, {"itself": kl.block_diagonal_fisher(layers)}, lam)["itself"]
    assert max(itself.frobenius, itself.spectral) <= 1e-12
    assert itself.stein <= 1e-9
    assert itself.remark is None


def test_on_every_array_library(lib):
    layers, expected = (random_layers(np.random.default_rng(0), 2, 1, [(2, 2)], 1, each) for each in (lib, NUMPY))
    found, wanted = (
        kl.approximation_error(kl.fisher(each), {"K-FAC": kl.kfac(each)}, 0.5)["K-FAC"] for each in (layers, expected)
    )
    assert found[1:5] == pytest.approx(wanted[1:5], rel=1e-8)
    assert all(isinstance(value, float) for value in found[1:5])


def test_single_precision_is_lifted(lib):
    if lib.name == "jax":
        pytest.skip("JAX compiles every shape anew; double precision is tested there")
    layers = tiny_layers(lib, "float32")
    wide = [
        kl.LayerStatistics(*(lib.asarray(lib.numpy(x), "float64") for x in (a.inputs, a.output_gradients)))
        for a in layers
    ]
    found = kl.approximation_error(kl.fisher(layers), {"K-FAC": kl.kfac(wide)}, 1e-2)["K-FAC"]
    expected = kl.approximation_error(kl.fisher(wide), {"K-FAC": kl.kfac(wide)}, 1e-2)["K-FAC"]
    assert found.stein == pytest.approx(expected.stein, rel=1e-12)


def test_complex_matrices():
    layers = random_layers(np.random.default_rng(0), 4, 2, [(2, 3)], 2, dtype="complex128")
    F, K = kl.fisher(layers), kl.kfac(layers)
    row = kl.approximation_error(F, {"K": K}, 0.3)["K"]
    assert row[1:4] == pytest.approx(dense(F.to_dense(), K.to_dense(), 0.3), rel=1e-5)


def test_arrays_and_a_positive_definite_f_need_no_damping():
    F, K = positive(5), positive(5, seed=1)
    row = kl.approximation_error(F, {"K": K})["K"]
    assert row[1:4] == pytest.approx(dense(F, K, 0.0), rel=1e-5)
    assert row.remark is None


@pytest.mark.parametrize(
    ("F", "K", "lam", "remark"),
    [
        (np.diag([1.0, 0.0]), np.eye(2), None, "F is singular"),
        (np.diag([1.0, 0.0]), np.diag([1.0, 0.0]), None, "F is singular; K is singular"),
        (np.diag([1.0, 2.0]), np.diag([1.0, -0.5]), None, "K is indefinite (lowest eigenvalue -0.5)"),
        (
            np.diag([1.0, 2.0]),
            np.diag([1.0, -0.5]),
            0.25,
            "K is indefinite (lowest eigenvalue -0.5), indefinite with λ",
        ),
        (np.diag([1.0, 2.0]), np.diag([1.0, -0.5]), 0.5, "K is indefinite (lowest eigenvalue -0.5), singular with λ"),
        (np.diag([1.0, -2.0]), np.eye(2), 1.0, "F is indefinite (lowest eigenvalue -2), indefinite with λ"),
    ],
)
def test_without_positive_definite_matrices_there_is_a_remark_and_no_loss(F, K, lam, remark):
    row = kl.approximation_error(F, {"K": K}, lam)["K"]
    assert (row.stein, row.kl, row.remark) == (None, None, remark)
    assert row.frobenius == pytest.approx(np.linalg.norm(F - K) / np.linalg.norm(F))


def test_an_indefinite_approximation_that_damping_mends_has_a_loss_and_a_remark():
    row = kl.approximation_error(np.diag([1.0, 2.0]), {"K": np.diag([1.0, -0.5])}, 1.0)["K"]
    assert row.stein == pytest.approx(3.0 / 0.5 - np.log(3.0 / 0.5) - 1)
    assert row.remark == "K is indefinite (lowest eigenvalue -0.5)"


def test_a_zero_matrix_has_no_relative_error_but_its_own():
    found = kl.approximation_error(np.zeros((2, 2)), {"zero": np.zeros((2, 2)), "one": np.eye(2)}, 1.0)
    assert (found["zero"].frobenius, found["zero"].spectral, found["zero"].stein) == (0.0, 0.0, 0.0)
    assert (found["one"].frobenius, found["one"].spectral) == (np.inf, np.inf)


def test_a_large_matrix_is_never_formed(monkeypatch):
    """Above the limit all comes from inner products, also where digits cancel."""
    layers, _ = mlp_layers((4, 5, 3), n=3)
    F, members = kl.fisher(layers), ("K-FAC", "EK-FAC", "KPSVD", "diagonal", "exact blocks")
    candidates = {name: MEMBERS[name](layers) for name in members} | {"itself": kl.fisher(layers)}
    expected = kl.approximation_error(F, candidates, 0.1)
    limit = F.U.shape[1]  # what has the size of the dual side may be formed
    for place in (fallback, module):
        monkeypatch.setattr(place, "DENSE_LIMIT", limit)
    monkeypatch.setattr("kronlin.operators.dual.DENSE_LIMIT", limit)
    monkeypatch.setattr("kronlin.operators.lowrank.DENSE_LIMIT", limit)
    found = kl.approximation_error(
        kl.fisher(layers), {name: MEMBERS[name](layers) for name in members} | {"itself": F}, 0.1
    )
    for row, wanted in zip(found.rows, expected.rows, strict=True):
        assert row[1:5] == pytest.approx(wanted[1:5], rel=1e-6, abs=1e-7)


def test_what_is_too_large_names_the_row_and_the_way_out(monkeypatch):
    F = kl.Function(lambda x: 2 * x, lambda x: 2 * x, shape=(6, 6), dtype="float64")
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 4)
    with pytest.raises(ValueError, match=r"approximation_error of F: .* is above the limit .* Compare smaller parts"):
        kl.approximation_error(F, {"K": np.eye(6)})


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="takes a square F"):
        kl.approximation_error(np.ones((2, 3)), {})
    with pytest.raises(ValueError, match=r"approximations of the shape \(2, 2\) of F, and 'K'"):
        kl.approximation_error(np.eye(2), {"K": np.eye(3)})
    with pytest.raises(ValueError, match="'K' is known not to be"):
        kl.approximation_error(np.eye(2), {"K": normal((2, 2))})
    with pytest.raises(ValueError, match="approximation_error of 'K' mixes"):
        kl.approximation_error(np.eye(2), {"K": STRICT_DEVICE.asarray(np.eye(2))})
    for lam in (-1.0, np.nan):
        with pytest.raises(ValueError, match="damping must be finite and not negative"):
            kl.approximation_error(np.eye(2), {"K": np.eye(2)}, lam)


def test_accuracy_of_the_spectral_norm_can_be_chosen():
    F, K = np.diag(np.linspace(1.0, 2.0, 200)), hermitian(200)
    exact = np.linalg.norm(F - K, 2) / 2.0
    rough, sharp = (kl.approximation_error(F, {"K": K}, rtol=rtol)["K"].spectral for rtol in (1e-1, 1e-8))
    assert sharp == pytest.approx(exact, rel=1e-10)
    assert 1e-6 < abs(rough / exact - 1) < 0.1


def test_callback_hears_every_name():
    heard = []
    kl.approximation_error(np.eye(2), {"a": np.eye(2), "b": np.eye(2)}, callback=heard.append)
    assert heard == ["a", "b"]
