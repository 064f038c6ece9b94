"""The law of sampled labels, a statistical one."""

import numpy as np

from kronlin.arrays import Array, namespace
from kronlin.testing.source_laws._trial import Trial

DRAWS = 4000
"""So many labels are drawn."""

DEVIATIONS = 6
"""So many standard errors are allowed, which a right source exceeds once in a billion runs."""


def sampled_columns(trial: Trial) -> None:
    """The Monte-Carlo matrix is that of type 2 up to the error of the sample, and another seed gives other columns."""
    copies = -(-DRAWS // trial.n)
    data = {"x": _repeated(trial.x, copies), "y": _repeated(trial.y, copies)}
    first, other = (trial.columns("mc", seed=seed, **data) @ trial.basis for seed in (0, 1))
    trial.expect(bool(np.any(first != other)), "the columns are the same for seed = 0 and seed = 1")
    squares = np.sum(first**2, axis=1).reshape(copies, trial.n, -1)
    exact = np.sum((trial.columns() @ trial.basis) ** 2, axis=1).mean(axis=0)
    means = squares.mean(axis=1)  # of a whole batch of labels each
    errors = means.std(axis=0) / np.sqrt(copies)
    for j, (words, _) in enumerate(trial.directions):
        found, tolerance = float(means[:, j].mean()), DEVIATIONS * float(errors[j]) + trial.rtol * float(exact.max())
        drawn = copies * trial.n
        trial.expect(
            abs(found - exact[j]) <= tolerance,
            f"v · F v for {words}: expected {exact[j]:.4g} as of type 2, got {found:.4g} from {drawn} labels "
            f"(tolerance {tolerance:.1e})",
        )


def _repeated(array: Array, copies: int) -> Array:
    """The examples, over and over."""
    return namespace(array).concat([array] * copies, axis=0)
