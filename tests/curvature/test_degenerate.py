"""Every approximation on statistics at the edge: finite, by its definition, damped, inverted, and as a fine level."""

from functools import cache

import numpy as np
import pytest

import kronlin as kl
from tests.curvature.definitions import ESTIMATORS, dense
from tests.curvature.degenerate import CASES, is_narrow, layers_with, repeated
from tests.nets import close, random_layers
from tests.triples import formulas

INDEFINITE = ("two terms", "corrected")
ROUNDING = {"shampoo": 1e-7}
"""Where a result is less exact than 1e-11: the root of an eigenvalue that is a rounding error, or might be."""


CASE = pytest.mark.parametrize("case", CASES)
EACH = pytest.mark.parametrize("name", ESTIMATORS)
PAIRS = pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in ESTIMATORS for case in CASES if name != "two terms" or not is_narrow(case)],
)


@cache
def build(name, case):
    """The operator and the dense matrix."""
    return ESTIMATORS[name][0](CASES[case]), dense(name, CASES[case])


def right_hand_side(F):
    return np.cos(np.arange(F.shape[0]))


@PAIRS
def test_finite_and_by_definition(name, case):
    F, wanted = build(name, case)
    assert np.isfinite(wanted).all()
    close(F.to_dense(), wanted, ROUNDING.get(name, 1e-11))
    b, size = right_hand_side(F), np.linalg.norm(wanted)
    np.testing.assert_allclose(F @ b, wanted @ b, atol=1e-11 * size)
    np.testing.assert_allclose(F.trace(), np.trace(wanted), atol=1e-11 * size)
    assert F.is_psd is (None if name in INDEFINITE else True)


@PAIRS
def test_damped_and_inverted(name, case):
    """(F + λ I)⁻¹ b and log det (F + λ I); and F F⁺ b = b in the range of F, to the root of its rounding errors."""
    F, wanted = build(name, case)
    b = right_hand_side(F)
    for lam in (1e-3, 0.5):
        matrix = wanted + lam * np.eye(len(wanted))
        tolerance = 1e-13 * np.linalg.cond(matrix) + ROUNDING.get(name, 1e-11)
        step = np.linalg.solve(matrix, b)
        close(F.damped(lam).solve(b), step, tolerance)
        close(F.damped(lam).inverse() @ b, step, tolerance)
        np.testing.assert_allclose(F.damped(lam).slogdet()[1], np.linalg.slogdet(matrix)[1], atol=1e2 * tolerance)
    inside = wanted @ b
    np.testing.assert_allclose(wanted @ (F.pinv() @ inside), inside, atol=1e-4 * np.linalg.norm(inside))


@pytest.mark.parametrize("case", [case for case in CASES if is_narrow(case)])
def test_a_narrow_layer_has_no_second_term(case):
    with pytest.raises(ValueError, match="rank must be a whole number from 1 to 1"):
        kl.kpsvd(CASES[case], 2)


@PAIRS
def test_as_the_fine_level(name, case):
    """M = (K + λ I)⁻¹ alone and in two levels: the formulas, and solutions by conjugate gradients."""
    K, wanted = build(name, case)
    A, Z = kl.fisher(CASES[case]).damped(0.5), kl.coarse.nicolaides(kl.kfac(CASES[case]))
    dense_A, dense_M = A.to_dense(), np.linalg.inv(wanted + 0.5 * np.eye(len(wanted)))
    if np.linalg.eigvalsh((dense_M + dense_M.T) / 2)[0] <= 0:
        assert name in INDEFINITE
        return
    M, b = K.damped(0.5).inverse(), right_hand_side(A)
    schemes = formulas(dense_A, dense_M, Z.to_dense()).schemes
    condition = np.linalg.cond(dense_A) * np.linalg.cond(dense_M)
    for scheme in ("AD", "A-DEF2", "BNN"):
        close(kl.two_level(A, M, Z, scheme) @ b, schemes[scheme] @ b, 1e-12 * condition + 1e-10)
    for preconditioner in (M, kl.two_level(A, M, Z, "BNN")):
        found = kl.cg(A, b, M=preconditioner, rtol=1e-11)
        assert found.converged
        close(found.x, np.linalg.solve(dense_A, b), 1e-10 * np.linalg.cond(dense_A) + 1e-9)


SPACES = {
    "nicolaides": lambda layers, K, A, M, b: kl.coarse.nicolaides(K),
    "largest": lambda layers, K, A, M, b: kl.coarse.spectral(K, which="largest"),
    "smallest": lambda layers, K, A, M, b: kl.coarse.spectral(K),
    "residual": lambda layers, K, A, M, b: kl.coarse.residual(K, A, M, b),
    "krylov": lambda layers, K, A, M, b: kl.coarse.krylov(K, M, b, 1),
    "gradients": lambda layers, K, A, M, b: kl.coarse.gradients(layers),
}


@pytest.mark.parametrize("space", SPACES)
@CASE
def test_coarse_spaces(space, case):
    """Columns that are zero, or rounding errors of it, are dropped; with the others the step of A-DEF2 has Zᵀ (b - A x) = 0."""
    layers = CASES[case]
    A, K = kl.fisher(layers).damped(0.5), kl.kfac(layers)
    M, b = K.damped(0.5).inverse(), right_hand_side(A)
    Z = SPACES[space](layers, K, A, M, b)
    x = kl.two_level(A, M, Z, "A-DEF2") @ b
    dense_Z, dense_A = Z.to_dense(), A.to_dense()
    dense_Z = dense_Z[:, np.linalg.norm(dense_Z, axis=0) > 1e-13]
    lengths = np.linalg.norm(dense_Z, axis=0)
    residual = dense_Z.T @ (b - dense_A @ x)
    assert (abs(residual) <= 1e-10 * np.linalg.cond(dense_A) * lengths * np.linalg.norm(b)).all()
    found = kl.cg(A, b, M=kl.two_level(A, M, Z, "BNN"), rtol=1e-11)
    assert found.converged
    close(found.x, np.linalg.solve(dense_A, b), 1e-10 * np.linalg.cond(dense_A) + 1e-9)


PRODUCTS = ("kfac expand", "kfac reduce", "tkfac", "kpsvd", "foof", "shampoo", "pinn", *INDEFINITE)
DAMPINGS = {
    "trace": lambda F: kl.factored_damping(F, 0.5),
    "frobenius": lambda F: kl.factored_damping(F, 0.5, "frobenius"),
    "spectral": lambda F: kl.factored_damping(F, 0.5, "spectral"),
    "pi = 1": lambda F: kl.factored_damping(F, 0.5, None),
    "per factor": lambda F: kl.per_factor_damping(F, 0.5),
}


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in PRODUCTS for case in CASES if name != "two terms" or not is_narrow(case)],
)
def test_damped_in_the_factors(name, case):
    """At least F + λ I (per factor F + λ² I), and solved to rounding where it is definite."""
    F, wanted = build(name, case)
    b = right_hand_side(F)
    for damping, damp in DAMPINGS.items():
        damped = damp(F)
        matrix, lam = damped.to_dense(), 0.25 if damping == "per factor" else 0.5
        assert np.linalg.eigvalsh(matrix - wanted)[0] >= lam - 1e-12 * np.linalg.norm(matrix)
        if np.linalg.eigvalsh(matrix)[0] > 1e-3:
            found, tolerance = damped.solve(b), 1e-12 * np.linalg.cond(matrix) + 1e-11
            close(found, np.linalg.solve(matrix, b), tolerance)
            close(damped.inverse() @ b, np.linalg.solve(matrix, b), tolerance)
        else:
            assert name in INDEFINITE


# What is built from step to step

STREAMED = ("diagonal", "mini-block", "kfac expand", "kfac reduce", "tkfac", "foof", "shampoo")


@pytest.mark.parametrize("name", STREAMED)
@CASE
def test_streamed_one_example_at_a_time(name, case):
    estimator, (whole, _) = ESTIMATORS[name][0], build(name, case)
    batches = (
        [kl.LayerStatistics(layer.inputs[[i]], layer.output_gradients[[i]]) for layer in CASES[case]]
        for i in range(CASES[case][0].n)
    )
    options = {}
    if name == "kfac reduce":
        estimator, options = kl.kfac, {"sharing": "reduce"}
    close(kl.stream(estimator, batches, **options).to_dense(), whole.to_dense(), ROUNDING.get(name, 1e-11))


@CASE
def test_quasi_newton_factors(case):
    """At the start I ⊗ (S A + √(λS) I)⁻¹; after steps that change the parameters and nothing else, definite still."""
    layers = [kl.LayerStatistics(layer.inputs, layer.output_gradients[:, :, :1]) for layer in CASES[case]]
    lam, state = 0.5, kl.KBFGS.start(layers, 0.5)
    for layer, block, K in zip(layers, state.inverse.blocks, kl.kfac(layers).blocks, strict=True):
        A = layer.S * K.factors[1].to_dense() + (lam * layer.S) ** 0.5 * np.eye(layer.d_in)
        close(block.to_dense(), np.kron(np.eye(layer.d_out), np.linalg.inv(A)), 1e-12 * np.linalg.cond(A))
    start = right_hand_side(state.inverse)
    for step in range(3):
        state = state.update(layers, start * step, layers, start * (step + 1))
        values = np.linalg.eigvalsh(state.inverse.to_dense())
        assert values[0] > 0
        assert np.isfinite(values[-1])


# What is the same


@EACH
@pytest.mark.parametrize("S", [1, 2])
def test_examples_twice_change_nothing(name, S):
    layers = layers_with(n=3, S=S)
    for times in (2, 3):
        close(ESTIMATORS[name][0](repeated(layers, times)).to_dense(), ESTIMATORS[name][0](layers).to_dense(), 1e-11)


@EACH
def test_columns_of_zeros_change_nothing(name):
    layers = layers_with(n=3)
    more = [
        kl.LayerStatistics(layer.inputs, np.concatenate([layer.output_gradients, 0 * layer.output_gradients], axis=2))
        for layer in layers
    ]
    close(ESTIMATORS[name][0](more).to_dense(), ESTIMATORS[name][0](layers).to_dense(), 1e-11)


@EACH
@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_a_dead_layer_of_every_dtype(name, dtype):
    """The others are what they are without it, and its step is the gradient over λ."""
    live = random_layers(np.random.default_rng(0), 4, 2, [(3, 2), (2, 3), (2, 2)], 2, dtype=dtype)
    layers = [live[0], kl.LayerStatistics(live[1].inputs, 0 * live[1].output_gradients), live[2]]
    F = ESTIMATORS[name][0](layers)
    b = np.ones(16, dtype)
    step = F.damped(0.5).solve(b)
    assert step.dtype == b.dtype
    assert np.isfinite(step).all()
    matrix = dense(name, layers) + 0.5 * np.eye(16)
    close(step, np.linalg.solve(matrix, b), (1e-3 if dtype in ("float32", "complex64") else 1e-10))
    if name not in ("foof", "chain"):
        close(step[6:12], b[6:12] / 0.5, 1e-6 if dtype in ("float32", "complex64") else 1e-12)
