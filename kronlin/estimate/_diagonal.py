"""diagonal: XDiag."""

from typing import Any

from kronlin.arrays import conj, diagonal_of, random_signs
from kronlin.estimate._sketch import enter, real_if_self_adjoint, sketch
from kronlin.estimate.result import Estimate, exactly, summarised


def diagonal(A: Any, samples: int = 16, *, seed: int = 0) -> Estimate:
    """Estimate the diagonal of a square A from products with random vectors; unbiased.

    For each i the diagonal of Q₍ᵢ₎ Q₍ᵢ₎ᴴ A, Q₍ᵢ₎ the range of A Ω without ωᵢ, and ωᵢ ∘ (I - Q₍ᵢ₎ Q₍ᵢ₎ᴴ) A ωᵢ for the
    rest, ωᵢ a vector of signs; averaged over i. Exact for an A of rank < `samples`. k samples take k products with A
    and k with Aᴴ, 8 n k² operations and 5 n k numbers.

    Args:
        A: operator or array (n, n) with an adjoint.
        samples: the number k of random vectors; from n on, the exact diagonal is taken from n products instead.
        seed: the same seed gives the same vectors with every array library.

    Returns:
        An `Estimate` whose value and error are arrays (n,).

    Raises:
        ValueError: A is not square, or `samples` < 2.
        NotImplementedError: A has no adjoint.

    >>> import numpy as np, kronlin as kl
    >>> u = np.outer(np.arange(1.0, 6.0), [1.0, 1.0])
    >>> kl.estimate.diagonal(kl.LowRank(u), 3).value
    array([ 2.,  8., 18., 32., 50.])

    Source: Epperly, Tropp and Webber, SIAM J. Matrix Anal. Appl. 45 (2024), arXiv 2301.07825 (XDiag).
    """
    A = enter("diagonal", A, samples)
    xp, n = A.kind.xp, A.shape[0]
    if samples >= n:
        return exactly(real_if_self_adjoint(A, diagonal_of(A._matmat(A.kind.eye(n)))), products=n)
    omega = random_signs(A.kind, (n, samples), seed)
    _, q, r, s = sketch(A, omega)
    back = A.H._matmat(q)
    left_out = q @ s
    inside = xp.sum(q * conj(back), axis=1)[:, None] - left_out * conj(back @ s)
    values = inside + omega * left_out * xp.vecdot(s, r, axis=-2)
    return summarised(real_if_self_adjoint(A, values), samples, 2 * samples)
