"""The laws of first derivatives: the gradient and the empirical columns, against differences of the loss."""

from functools import partial

import numpy as np

from kronlin.arrays import Array
from kronlin.testing._case import wide
from kronlin.testing.source_laws._trial import Trial


def value(trial: Trial) -> None:
    """The loss is (1/n) Σ_i ℓ(f_i, y_i)."""
    if trial.head is not None:
        values = trial.scale * trial.head.value(trial.outputs(), _labels(trial))
        trial.expect_close("the loss", trial.at_start[2], values.mean(), size=float(np.abs(values).max()))


def gradient(trial: Trial) -> None:
    """∇h · v is the derivative of the loss h along v."""
    found = wide(trial.at_start[1])
    size = float(np.linalg.norm(found)) + abs(trial.at_start[2])
    for words, v in trial.directions:
        slope = trial.derivative(partial(_loss, trial, {}), v)
        trial.expect_close(f"∇h · v for {words}", found @ v, slope, trial.quotient_rtol, size)


def mean_of_the_empirical_columns(trial: Trial) -> None:
    """The mean of the n empirical columns is the gradient."""
    columns = trial.columns("empirical")
    size = float(np.abs(columns).max())
    trial.expect_close("(1/n) Σ_i u_i", columns.mean(axis=(0, 1)), wide(trial.at_start[1]), size=size)


def empirical_columns(trial: Trial) -> None:
    """The empirical column u_i is the gradient of the loss of example i: u_i · v is its derivative along v."""
    columns = trial.columns("empirical")[:, 0]
    for i in range(trial.n):
        size = float(np.linalg.norm(columns)) + abs(trial.at_start[2])
        for words, v in trial.directions:
            slope = trial.derivative(partial(_loss, trial, trial.example(i)), v)
            trial.expect_close(f"u_{i} · v for {words}", columns[i] @ v, slope, trial.quotient_rtol, size)


def _loss(trial: Trial, data: dict[str, Array], theta: np.ndarray) -> float:
    """The loss at other parameters, of all examples or of those in `data`."""
    return trial.collected(theta=theta, **data)[2]


def _labels(trial: Trial) -> np.ndarray:
    """The given labels as the loss takes them on NumPy: class numbers stay integers."""
    y = wide(trial.y)
    return y.astype(int) if y.ndim < trial.outputs().ndim else y
