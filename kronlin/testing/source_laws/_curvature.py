"""The laws of second order: the columns of type 2 against the network, and the operators made of them."""

import numpy as np

from kronlin.curvature import FisherRoot, fisher
from kronlin.operators import VStack
from kronlin.testing._case import wide
from kronlin.testing._dottest import dottest
from kronlin.testing.source_laws._labels import weighted_labels
from kronlin.testing.source_laws._trial import Trial, products


def adjoint(trial: Trial) -> None:
    """The root U of the Fisher matrix and its adjoint belong together: ⟨U z, v⟩ = ⟨z, Uᴴ v⟩."""
    layers = trial.at_start[0]
    dottest(VStack([FisherRoot(layer.inputs, layer.output_gradients) for layer in layers]), len(trial.theta))


def outer_products(trial: Trial) -> None:
    """The Fisher matrix is the sum of the outer products of its columns: F v = (1/n) Σ_ik u_ik (u_ik · v)."""
    F, columns = fisher(trial.at_start[0]), trial.columns()
    for words, v in trial.directions:
        expected = np.einsum("nkp,nk->p", columns, columns @ v) / trial.n
        trial.expect_close(f"F v for {words}", wide(F @ trial.vector(v)), expected, size=_size(columns))


def jacobian_products(trial: Trial) -> None:
    """The columns of type 2 are those of Jᵀ L: v · U_i U_iᵀ w = (L_iᵀ J_i v) · (L_iᵀ J_i w).

    L_i L_iᵀ is the Hessian of the loss in the outputs, J_i v the derivative of the outputs along v.
    """
    if trial.head is None:
        return
    f = trial.outputs()
    roots = trial.head.root(f).reshape(trial.n, f[0].size, -1)
    tangents = np.stack([trial.derivative(trial.outputs, v) for _, v in trial.directions], axis=-1)
    seen = np.sqrt(trial.scale) * roots.swapaxes(1, 2) @ tangents.reshape(trial.n, f[0].size, -1)
    _compare(trial, trial.grams(), products(seen), trial.quotient_rtol)


def enumeration(trial: Trial) -> None:
    """The matrix of type 2 is that of the empirical columns, on average over all labels: Σ_y p(y | f_i) u_iy u_iyᵀ."""
    weighted = weighted_labels(trial.head, trial.outputs())
    if weighted is None:
        return
    expected = sum(
        weights[:, None, None] * trial.grams("empirical", y=trial.labels(labels)) / trial.scale
        for weights, labels in weighted
    )
    _compare(trial, trial.grams(), np.asarray(expected))


def _compare(trial: Trial, found: np.ndarray, expected: np.ndarray, rtol: float | None = None) -> None:
    """Compare (n, m, m) and name the directions of the first difference."""
    size = float(np.abs(expected).max(initial=0.0))
    for a, (one, _) in enumerate(trial.directions):
        for b, (two, _) in enumerate(trial.directions[: a + 1]):
            what = f"v · U_i U_iᵀ w for v {one}, w {two}, by examples"
            trial.expect_close(what, found[:, a, b], expected[:, a, b], rtol, size)


def _size(columns: np.ndarray) -> float:
    """A bound on the entries of F v."""
    return float(np.sum(columns**2)) / len(columns)
