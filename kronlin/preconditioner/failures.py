"""Failures: what went wrong in a training run without stopping it, to be read afterwards."""

import warnings
from typing import NamedTuple

NUMERICAL = (ValueError, ArithmeticError, RuntimeError)
"""What a statistic that is not finite or a factorisation without result raises; a wrong type is another thing."""

_LONGEST = 100
"""Failures of which the text is kept."""


class Failure(NamedTuple):
    """One failure: the step, what was being done, and the message."""

    step: int
    doing: str
    message: str

    def __str__(self) -> str:
        return f"step {self.step}, {self.doing}: {self.message}"


class Failures:
    """A list of failures, each of which is warned of, or raised.

    >>> failures = Failures("raise")
    >>> failures.note(3, "inverses", ValueError("singular"), "nothing is kept")
    Traceback (most recent call last):
    ValueError: singular
    >>> failures.count, str(failures.latest[0])
    (1, 'step 3, inverses: singular')
    """

    def __init__(self, on_failure: str) -> None:
        if on_failure not in ("warn", "raise"):
            raise ValueError(f"on_failure must be 'warn' or 'raise', not {on_failure!r}")
        self.raises = on_failure == "raise"
        self.count = 0
        self.latest: tuple[Failure, ...] = ()

    def note(self, step: int, doing: str, error: Exception, instead: str, *, fatal: bool = False) -> None:
        """Enter a failure; then raise the error (`fatal`, or if asked for), or warn and say what is done instead."""
        failure = Failure(step, doing, str(error))
        self.count += 1
        self.latest = (*self.latest, failure)[-_LONGEST:]
        if fatal or self.raises:
            raise error
        warnings.warn(f"{failure}; {instead}", RuntimeWarning, stacklevel=4)
