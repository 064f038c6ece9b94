"""The spectral norm of a self-adjoint operator, from the process of Lanczos."""

from kronlin.algebra import Operator
from kronlin.krylov.process import Process, random_start, ritz

_FIRST_STEPS = 20


def spectral_norm(A: Operator, rtol: float) -> float:
    """The largest modulus of an eigenvalue of A, never too large but for rounding.

    The process runs until the residuals of both ends of the spectrum are at most `rtol` times the result, since the
    end with the larger modulus may be the later to appear. In a residual r the error is of the order r² / gap.

    >>> import numpy as np, kronlin as kl
    >>> round(spectral_norm(kl.Dense(np.diag([1.0, -3.0, 2.0])), 1e-3), 10)
    3.0
    """
    process, steps = Process(A, None, random_start(A.kind, A.shape[0], 0), A.kind), 0
    while True:
        more = min(A.shape[0] - steps, steps // 4 if steps else _FIRST_STEPS)
        process.extend(more)
        steps += more
        alpha, side, exhausted = process.coefficients()
        values, bounds = ritz(alpha, side)
        norm = float(max(abs(values[0]), abs(values[-1])))
        if exhausted or max(bounds[0], bounds[-1]) <= rtol * norm:
            return norm
