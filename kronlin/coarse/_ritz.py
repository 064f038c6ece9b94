"""Ritz: approximate eigenvectors of the whole operator, from a Lanczos run."""

from typing import Any

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import common_kind
from kronlin.krylov import LanczosResult
from kronlin.krylov._lanczos import ADVICE
from kronlin.krylov.process import Process, default_start, ritz_vectors
from kronlin.krylov.process import ritz as ritz_pairs
from kronlin.krylov.result import Numbers
from kronlin.krylov.system import checked_number, operators
from kronlin.operators import Dense

_WHICH = ("smallest", "largest")
_MOST_STEPS = 2000


def ritz(
    A: Any,
    k: int = 1,
    M: Any = None,
    which: str = "smallest",
    *,
    rtol: float = 1e-2,
    maxiter: int | None = None,
    seed: int = 0,
) -> Dense:
    """The coarse space Z of k Ritz vectors of M A, over all layers at once; a `Dense` (p, k).

    With exact eigenvectors deflation leaves the other eigenvalues of M A as they are. A Lanczos process runs until
    an eigenvalue is within rtol of each of the k Ritz values. It finds one vector for each distinct eigenvalue.

    Args:
        A: the operator of the system (p, p), self-adjoint and positive definite; or the `LanczosResult` of a run that
            is done, whose vectors are taken as they are (then M, rtol, maxiter and seed are not used).
        k: number of vectors.
        M: self-adjoint psd operator or array that approximates A⁻¹, that of the two-level method; I if None.
        which: "smallest" or "largest" Ritz values.
        rtol: wanted relative bound, β |s| ≤ rtol |θ|.
        maxiter: largest number of steps, each with one product with A and one with M; the smaller of p and 2000 if
            None.
        seed: for the Gaussian start.

    Raises:
        ValueError: `which` is unknown, k does not fit, shapes or kinds do not fit, A or M is known or found to lack
            what is needed, or M A has fewer than k distinct eigenvalues.
        RuntimeError: the k values are not within rtol after maxiter steps.

    Cost: j steps of 4 p j operations beside the products; p j numbers while it runs (2 p j with M), p k kept.

    >>> import numpy as np, kronlin as kl
    >>> abs(ritz(np.diag([1.0, 2.0, 3.0]), which="largest").to_dense()[:, 0]).round(6)
    array([0., 0., 1.])

    Source: Saad, Yeung, Erhel, Guyomarc'h, "A deflated version of the conjugate gradient algorithm", SIAM J. Sci.
    Comput. 21 (2000).
    """
    if which not in _WHICH:
        raise ValueError(f"unknown which {which!r}: choose one of {', '.join(map(repr, _WHICH))}")
    if isinstance(A, LanczosResult):
        if not 1 <= k <= A.steps:
            raise ValueError(f"ritz: k = {k}, but {A!r} has from 1 to {A.steps} vectors")
        return Dense(A.ritz_vectors(*_range(A.steps, k, which)))
    A, M = operators("ritz", A, M, ADVICE)
    p = A.shape[0]
    if not 1 <= k <= p:
        raise ValueError(f"ritz: k = {k} vectors of an operator {p}×{p}: choose between 1 and {p}")
    rtol = checked_number("ritz", "rtol", rtol, 0)
    most = min(p, _MOST_STEPS if maxiter is None else int(checked_number("ritz", "maxiter", maxiter, 1)))
    process, alpha, beta = _converged(A, M, k, which, rtol, most, seed)
    vectors = ritz_vectors(alpha, beta, *_range(len(alpha), k, which))
    return Dense._make(process.basis(len(alpha)) @ process.kind.asarray(vectors))


def _range(steps: int, k: int, which: str) -> tuple[int, int]:
    """First and last of the wanted Ritz values, which are in ascending order."""
    return (0, k - 1) if which == "smallest" else (steps - k, steps - 1)


def _converged(
    A: Operator, M: Operator | None, k: int, which: str, rtol: float, most: int, seed: int
) -> tuple[Process, Numbers, Numbers]:
    """Run until the wanted Ritz values are within their bounds; the process with the T that it has reached."""
    own = common_kind([A.kind, *([] if M is None else [M.kind])], "ritz")
    process = Process(A, M, default_start(A, M, own, seed), own)
    steps, state = 0, ""
    while steps < most:
        more = min(most - steps, 4 + steps // 8 if steps else 2 * k + 10)
        process.extend(more)
        steps += more
        alpha, beta, exhausted = process.coefficients()
        if len(alpha) >= k:
            values, bounds = ritz_pairs(alpha, beta, *_range(len(alpha), k, which))
            rounding = 100 * own.eps * float(np.max(np.abs(alpha)))
            if exhausted or bool(np.all(bounds <= rtol * np.abs(values) + rounding)):
                return process, alpha, beta
            state = f" (the largest bound is {float(np.max(bounds / np.maximum(np.abs(values), rounding))):.2g})"
        elif exhausted:
            raise ValueError(
                f"ritz: k = {k}, but the Lanczos process ended after {len(alpha)} steps: it finds one vector for each "
                f"distinct eigenvalue that the start sees, so ask for k ≤ {len(alpha)}"
            )
    raise RuntimeError(
        f"ritz: after {steps} steps the {k} {which} of M A are not within rtol = {rtol:g}{state}: raise maxiter or "
        "rtol, give an M, or take the vectors as they are by ritz(krylov.lanczos(A, steps, M), k)"
    )
