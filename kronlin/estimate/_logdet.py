"""logdet: stochastic Lanczos quadrature."""

from math import inf, log
from typing import Any

import numpy as np

from kronlin.arrays import NotPositiveDefiniteError, random_signs
from kronlin.estimate._sketch import enter
from kronlin.estimate.processes import Numbers, Processes
from kronlin.estimate.result import Estimate
from kronlin.krylov.system import checked_number, operators

_FIRST_LOOK, _MOST_STEPS = 10, 100


def logdet(A: Any, samples: int = 16, *, steps: int | None = None, seed: int = 0) -> Estimate:
    """Estimate log det A = tr log A of a positive definite A by Lanczos processes from random signs.

    The mean of xᴴ log(A) x ≈ n e₁ᵀ log(T) e₁ over the samples x, T the tridiagonal matrix of the process from x.
    Steps are added until the mean changes by less than a tenth of the statistical error. If they are used up before,
    which is so where √κ(A) is far above `steps`, the mean is too large, and what it would still fall by is added to
    `error`, extrapolated from its last changes: infinite if they do not shrink. A step costs one product with A for
    all samples together and 4 n k j operations for k samples; n k j numbers are kept for j steps.

    Args:
        A: self-adjoint positive definite operator or array (n, n); its definiteness may be unknown.
        samples: the number k of random vectors; from n on, the n unit vectors are taken instead, which leaves
            the error of the quadrature alone.
        steps: largest number of Lanczos steps; the smaller of n and 100 if None.
        seed: the same seed gives the same vectors with every array library.

    Raises:
        ValueError: A is not square or is known not to be self-adjoint, `samples` < 2, or a product is not finite.
        NotPositiveDefiniteError: A is known or found not to be positive definite.

    >>> import numpy as np, kronlin as kl
    >>> T = 3 * np.eye(12) - np.eye(12, k=1) - np.eye(12, k=-1)
    >>> A = kl.Kronecker(T, T)
    >>> kl.estimate.logdet(A), round(float(A.logdet()), 1)
    (Estimate(283 ± 2), 281.0)

    Source: Ubaru, Chen and Saad, "Fast estimation of tr(f(A)) via stochastic Lanczos quadrature", SIAM J. Matrix
    Anal. Appl. 38 (2017), algorithm 1.
    """
    A, _ = operators("estimate.logdet", enter("logdet", A, samples), None, "", definite=False)
    if A.is_pd is False:
        raise NotPositiveDefiniteError(f"estimate.logdet needs a positive definite A, and {A!r} is known not to be")
    n, own = A.shape[0], A.kind.real
    most = min(n, _MOST_STEPS if steps is None else int(checked_number("estimate.logdet", "steps", steps, 1)))
    if n == 0:
        return Estimate(own.zeros(), own.zeros(), 0, 0)
    sampled = samples < n
    starts = random_signs(A.kind, (n, samples), seed) if sampled else n**0.5 * A.kind.eye(n)
    count = samples if sampled else n
    processes = Processes(A, starts)
    looks: list[tuple[int, float]] = []
    taken = 0
    while True:
        more = min(most - taken, taken // 2 or 1) if taken else min(_FIRST_LOOK, (most + 1) // 2)
        processes.extend(more)
        taken += more
        values, done = processes.quadrature(_logarithm)
        looks.append((taken, float(np.mean(values))))
        spread = float(np.std(values, ddof=1)) / count**0.5 if sampled else 0.0
        small = max(spread / 10, A.kind.eps * abs(looks[-1][1]))
        left = 0.0 if done else _left_over(looks, small)
        if left <= small or taken >= most:
            break
    return Estimate(own.asarray(looks[-1][1]), own.asarray(spread + left), count if sampled else 0, taken * count)


def _left_over(looks: list[tuple[int, float]], small: float) -> float:
    """By how much the mean will still change, if its changes go on to shrink at the rate of the last two."""
    rates = [
        (abs(mean - before), log(steps / less)) for (less, before), (steps, mean) in zip(looks, looks[1:], strict=False)
    ]
    if not rates:
        return inf
    change, growth = rates[-1]
    if change <= small:
        return change
    if len(rates) < 2:
        return inf
    ratio = change / growth / (rates[-2][0] / rates[-2][1])
    return change / (1 - ratio) if ratio < 1 else inf


def _logarithm(values: Numbers) -> Numbers:
    """log, or an error that shows the value for which there is none."""
    if values[0] <= 0:
        raise NotPositiveDefiniteError(
            f"estimate.logdet needs a positive definite A, and it has a Ritz value {values[0]:.3g} ≤ 0: A is not "
            "positive definite to working precision; add damping, or use A.slogdet() where A is small or structured"
        )
    return np.log(values)
