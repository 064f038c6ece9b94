"""condition_number: the ratio of the extreme eigenvalues of M A, with an error bound."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kronlin.arrays import common_kind
from kronlin.krylov._lanczos import ADVICE
from kronlin.krylov.process import Process, default_start, ritz, ritz_values
from kronlin.krylov.result import Numbers
from kronlin.krylov.system import checked_number, operators

_LEAST_STEPS, _MOST_STEPS = 20, 2000


@dataclass(frozen=True, eq=False)
class ConditionNumber:
    """κ = λ_max / λ_min of M A on the complement of its null space; `float(c)` is `c.value`.

    >>> import numpy as np, kronlin as kl
    >>> kl.condition_number(np.diag([1.0, 2.0, 4.0]))
    ConditionNumber(4 within 0.0%, 3 steps)
    """

    value: float
    """Largest by smallest Ritz value, inf if the smallest is rounding error; never above κ but for rounding."""

    smallest: float
    """Smallest (nonzero) Ritz value, at least λ_min."""

    largest: float
    """Largest Ritz value, at most λ_max."""

    lower: float
    """Lower bound of κ, the same as `value` but for a singular A."""

    upper: float
    """Upper bound of κ from the residuals of the two Ritz pairs, inf if they say nothing yet. Each residual bounds
    the distance to *an* eigenvalue: in a cluster at the end the last one may lie a few residuals further out."""

    iterations: int
    """Lanczos steps, each with one product with A and one with M."""

    converged: bool
    """Whether the bound is within rtol."""

    ritz_values: Numbers
    """All Ritz values, ascending: the spectrum of M A as the process saw it, sharp at its ends."""

    @property
    def bound(self) -> float:
        """Relative error bound of `value`: upper / lower - 1."""
        return self.upper / self.lower - 1 if np.isfinite(self.upper) else float("inf")

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        state = "" if self.converged else ", not converged"
        return f"ConditionNumber({self.value:.6g} within {self.bound:.1%}, {self.iterations} steps{state})"


def condition_number(
    A: Any, M: Any = None, *, rtol: float = 1e-2, maxiter: int | None = None, seed: int = 0
) -> ConditionNumber:
    """Estimate κ(M A) = λ_max / λ_min by the Lanczos process until both ends are known within bounds.

    Each Ritz value θ has an eigenvalue within its residual β |s|, so κ ≤ (θ_max + β |s_max|) / (θ_min - β |s_min|)
    once the process, started from a Gaussian vector, has found the ends. The residuals are pessimistic: errors of
    the Ritz values are of second order in them, and `value` is mostly ten times better than `bound`. For an A or M
    known to be singular and psd (a scheme such as R-BNN1) it is the effective condition number, on the complement
    of the null space; rounding errors in a large null space can pass for eigenvalues there, so that for a two-level
    method BNN with a scaled M, which has the same spectrum and is regular, is to be preferred (`compare` does so).

    Args:
        A: self-adjoint positive (semi)definite operator or array (n, n).
        M: likewise, an approximation of A⁻¹; the identity if None.
        rtol: wanted relative bound.
        maxiter: largest number of steps, each with one product with A and M and 4 n j operations; the smaller of
            n and 2000 if None.
        seed: for the Gaussian start.

    Raises:
        ValueError: shapes or kinds do not fit, A or M is known or found not to be self-adjoint or psd, or a
            product has a NaN or an Inf.

    >>> import numpy as np, kronlin as kl
    >>> kl.krylov.condition_number(np.diag([1.0, 2.0, 2.0, 5.0]))
    ConditionNumber(5 within 0.0%, 3 steps)

    Source: Parlett, "The Symmetric Eigenvalue Problem" (1998), sections 13.2 and 4.5.
    """
    A, M = operators("condition_number", A, M, ADVICE)
    rtol = checked_number("condition_number", "rtol", rtol, 0)
    n = A.shape[0]
    if n == 0:
        raise ValueError("condition_number: A is 0×0 and has no eigenvalue")
    most = min(n, _MOST_STEPS if maxiter is None else int(checked_number("condition_number", "maxiter", maxiter, 1)))
    own = common_kind([A.kind] + ([] if M is None else [M.kind]), "condition_number")
    process = Process(A, M, default_start(A, M, own, seed), own)
    steps = 0
    while True:
        more = min(most - steps, 4 + steps // 8 if steps else _LEAST_STEPS)
        process.extend(more)
        steps += more
        alpha, beta, exhausted = process.coefficients()
        found = _ends(alpha, beta, own.eps, A.is_pd is False, rtol)
        if found.converged or exhausted or steps >= most:
            return found


def _ends(alpha: Numbers, beta: Numbers, eps: float, singular: bool, rtol: float) -> ConditionNumber:
    """Read the ends of the spectrum off T; the zeros of an A known to be singular are passed over."""
    values = ritz_values(alpha, beta)
    largest, rounding = float(values[-1]), 100 * eps * float(np.max(np.abs(values)))
    if values[0] < -rounding:
        raise ValueError(
            f"condition_number needs a positive definite A, and M A has a Ritz value {values[0]:.3g}: A is indefinite"
        )
    first = int(np.argmax(values > rounding)) if singular else 0
    smallest = float(values[first])
    if smallest <= rounding:
        return ConditionNumber(
            np.inf, smallest, largest, largest / rounding if rounding else np.inf, np.inf, len(values), False, values
        )
    above = float(ritz(alpha, beta, len(values) - 1)[1][0]) + rounding / 10
    below = float(ritz(alpha, beta, first, first)[1][0]) + rounding / 10
    upper = (largest + above) / (smallest - below) if smallest > below else np.inf
    lower = largest / smallest
    return ConditionNumber(lower, smallest, largest, lower, upper, len(values), upper <= (1 + rtol) * lower, values)
