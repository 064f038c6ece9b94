"""The law of two sources: the same weights and data give the same."""

import numpy as np

from kronlin.testing._case import wide
from kronlin.testing.source_laws._trial import Trial, columns_of, products


def parity(trial: Trial) -> None:
    """Two sources hand over the same for the same weights and data.

    The same are loss, gradient, the second moments of inputs and output gradients of each layer, and the columns, those
    of type 2 but for a rotation.
    """
    if trial.twin is None:
        return
    for fisher in ("type-2", "empirical"):
        layers, gradient, loss = trial.collected(fisher)
        others, wanted, other_loss = trial.twin(fisher)
        trial.expect_close("the loss", loss, other_loss, size=float(np.abs(wide(wanted)).max()))
        trial.expect_close("the gradient", wide(gradient), wide(wanted))
        sizes, other_sizes = ([(a.d_out, a.d_in) for a in each] for each in (layers, others))
        trial.expect(sizes == other_sizes, f"the layers (d_out, d_in) are {sizes}, those of the other {other_sizes}")
        for one, two in zip(layers, others, strict=True):
            for what in ("inputs", "output_gradients"):
                found, expected = (_moments(wide(getattr(layer, what))) for layer in (one, two))
                trial.expect_close(f"Σ x xᵀ of the {what} of {one!r}, {fisher}", found, expected)
        found, expected = (columns_of(each) @ trial.basis for each in (layers, others))
        if fisher == "empirical":
            trial.expect_close("U_iᵀ v of the empirical columns", found, expected)
        trial.expect_close(f"V · U_i U_iᵀ V of {fisher}", products(found), products(expected))


def _moments(x: np.ndarray) -> np.ndarray:
    """Σ x xᵀ over everything but the last axis, which does not depend on the order of positions or columns."""
    rows = x.reshape(-1, x.shape[-1])
    return rows.T @ rows
