"""The ends of the spectrum of a self-adjoint operator, and its norm, from the process of Lanczos."""

from kronlin.algebra import Operator
from kronlin.krylov.process import Process, random_start, ritz

_FIRST_STEPS = 20


def spectral_ends(A: Operator, rtol: float) -> tuple[float, float]:
    """The lowest and the highest eigenvalue of A; neither is beyond the spectrum but for rounding.

    The process runs until the residuals of both are at most `rtol` times the larger modulus. In a residual r the error
    is of the order r² / gap.

    >>> import numpy as np, kronlin as kl
    >>> [round(value, 10) for value in spectral_ends(kl.Dense(np.diag([1.0, -3.0, 2.0])), 1e-3)]
    [-3.0, 2.0]
    """
    process, steps = Process(A, None, random_start(A.kind, A.shape[0], 0), A.kind), 0
    while True:
        more = min(A.shape[0] - steps, steps // 4 if steps else _FIRST_STEPS)
        process.extend(more)
        steps += more
        alpha, side, exhausted = process.coefficients()
        values, bounds = ritz(alpha, side)
        low, high = float(values[0]), float(values[-1])
        if exhausted or max(bounds[0], bounds[-1]) <= rtol * max(abs(low), abs(high)):
            return low, high


def spectral_norm(A: Operator, rtol: float) -> float:
    """The largest modulus of an eigenvalue: of both ends, since the larger one may be the later to appear."""
    low, high = spectral_ends(A, rtol)
    return max(abs(low), abs(high))
