"""Averages: the curvature gathered over the steps, with eigenvalues in the basis to which they belong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from kronlin.algebra import Operator, rules
from kronlin.curvature import LayerStatistics, RunningAverage, ekfac, shampoo
from kronlin.preconditioner._in_rows import in_rows

Estimator = Callable[..., Any]
"""A function from layers to an operator; with a basis, one that takes `basis=` too."""

_OWN_BASES: dict[Estimator, str] = {
    ekfac: ", or basis=kronlin.kfac, whose average gives all batches one basis",
    shampoo: "",
}


@dataclass(frozen=True, eq=False)
class Averages:
    """The running average of an estimator, and of a second one, in whose eigenbases it is taken, if there is one.

    With a basis the eigenvalues are averaged in bases that are kept from one `turn` to the next, when they are carried
    over into those of the averaged factors: `estimator(layers, basis=kept)` is never mixed with one of another basis.

    >>> import numpy as np
    >>> from kronlin.curvature import kfac
    >>> layers = [LayerStatistics(np.eye(2), np.ones((2, 1)))]
    >>> averages = Averages.start(ekfac, kfac, 0.95).update(ekfac, kfac, layers, turn=True)
    >>> averages.value
    BlockDiagonal(2×2, float64, pd: Spectral(Kronecker(1×1 ⊗ 2×2)))
    """

    main: RunningAverage
    factors: RunningAverage | None = None
    kept: Operator | None = None
    """The averaged factors at the last turn, whose eigenbases are in use."""

    @classmethod
    def start(cls, estimator: Estimator, basis: Estimator | None, decay: float) -> "Averages":
        """No curvature yet.

        Raises:
            ValueError: decay is not between 0 and 1, or the estimates have no mean.
        """
        while isinstance(estimator, partial):
            estimator = estimator.func
        if decay and basis is None and estimator in _OWN_BASES:
            raise ValueError(
                f"{estimator.__name__} has eigenvectors of its own for each batch, so that its estimates have no mean: "
                f"pass decay=0 for the newest one only{_OWN_BASES[estimator]}"
            )
        return cls(RunningAverage(decay), None if basis is None else RunningAverage(decay))

    @property
    def value(self) -> Operator:
        """The averaged curvature."""
        assert self.main.value is not None
        return self.main.value

    def update(
        self, estimator: Estimator, basis: Estimator | None, layers: Sequence[LayerStatistics], turn: bool
    ) -> "Averages":
        """The averages with one more batch in them; `turn`: in the eigenbases of the factors with this batch.

        Raises:
            TypeError: the estimates have no mean.
            ValueError: an estimate cannot be made.
        """
        if self.factors is None or basis is None:
            return replace(self, main=_with(self.main, estimator(layers)))
        factors, main, kept = _with(self.factors, basis(layers)), self.main, self.kept
        if turn or kept is None:
            kept = factors.value
            main = main.rotate(cast(Operator, kept))
            main = main if main.value is None else replace(main, value=in_rows(main.value)[0])
        return Averages(_with(main, estimator(layers, basis=kept)), factors, kept)


def _with(average: RunningAverage, estimate: Any) -> RunningAverage:
    """The average with one more estimate; for α = 0 that one, which then needs no mean."""
    (estimate,) = in_rows(rules.wrap(estimate))
    if not average.alpha:
        return replace(average, count=average.count + 1, value=estimate)
    try:
        return average.update(estimate)
    except ValueError as error:
        raise TypeError(f"{error}; or pass decay=0 for the newest estimate only") from error
