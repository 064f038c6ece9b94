"""minres: the minimal residual method, for self-adjoint operators that may be indefinite or singular."""

from collections.abc import Callable
from typing import Any

from kronlin.arrays import Array, namespace
from kronlin.krylov._inner import inner
from kronlin.krylov._recurrence import Map, unchanged
from kronlin.krylov.driver import Run
from kronlin.krylov.result import KrylovResult
from kronlin.krylov.stopping import EXHAUSTED, OPERATOR, PRECONDITIONER, limits
from kronlin.krylov.system import enter, operators

_ADVICE = ": minres takes a self-adjoint positive definite M, as BNN and AD are; gmres takes any"


def minres(
    A: Any,
    b: Array,
    x0: Array | None = None,
    *,
    rtol: float = 1e-5,
    atol: float = 0.0,
    maxiter: int | None = None,
    M: Any = None,
    callback: Callable[[Array], Any] | None = None,
    check_every: int | None = None,
    progress: bool = False,
) -> KrylovResult:
    """Solve A x = b for a self-adjoint A, which may be indefinite, or singular with b in its range.

    The j-th iterate minimises ‖b - A x‖_M over x₀ + span{M r₀, (M A) M r₀, …}, by the Lanczos process for M A and
    a QR factorisation of its tridiagonal matrix. One product with A and one with M a step, for all columns of b
    together, and two with A at the end, where b - A x is recomputed, and iterated from again if it does not meet the
    tolerance. Each column has its own recurrence and rests once it is done. For a shifted operator pass A - σ I.

    Args:
        A: self-adjoint operator or array (n, n).
        b: right-hand side (n,) or (n, k) of the kind of A.
        x0: where to start, of the shape of b; zero if None.
        rtol, atol: a column has converged when ‖b - A x‖ ≤ max(rtol ‖b‖, atol), as in `cg`; SciPy's minres compares
            with ‖A‖ ‖x‖ instead.
        maxiter: largest number of steps; 10 n if None.
        M: self-adjoint positive definite operator or array that approximates the inverse of (AᴴA)^½; the identity
            if None.
        callback: called as `callback(xk)` after every step, with xk of the shape of b.
        check_every: steps between two looks at the flags (each is one synchronisation); 1 on the host and 10 on an
            accelerator if None. The solution does not depend on it.
        progress: whether to show a tqdm bar.

    Returns:
        A `KrylovResult`, which unpacks as SciPy's `(x, info)`. If b is not in the range of A its `status` says so,
        and x is a least-squares solution in the norm of M. An indefinite M is reported too.

    Raises:
        ValueError: shapes or kinds do not fit, b or x0 has a NaN or an Inf, A or M is known not to be
            self-adjoint, or M is known not to be positive definite.

    >>> import numpy as np, kronlin as kl
    >>> x, info = kl.krylov.minres(np.diag([1.0, -2.0, 4.0]), np.ones(3))
    >>> x, info
    (array([ 1. , -0.5 , 0.25]), 0)

    Source: Paige and Saunders, SIAM J. Numer. Anal. 12 (1975), section 6.
    """
    A, M = operators("minres", A, M, _ADVICE, definite=False)
    if M is not None and M.is_pd is False:
        raise ValueError(f"minres needs a positive definite M, and {M!r} is known to be singular{_ADVICE}")
    system = enter("minres", A, M, b, x0)
    stop = limits(system, rtol, atol, maxiter, check_every, "minres")
    run = Run(system, stop, name="minres", callback=callback, progress=progress)
    return run.solve(lambda x: _advance(run, unchanged if M is None else system.map(M), x))


def _advance(run: Run, precondition: Map, x: Array) -> Array:
    """Iterate until all columns rest or the steps are used up.

    The Lanczos vectors are q and u = M q, with β q₊ = A u - α q - β₋ q₋. The reflections [[c, s], [s, -c]] take the
    tridiagonal matrix to the triangle with rows (γ, δ, ε), and β₁ e₁ to the entries c φ, of which φ is what is left.
    The residual follows without a product, r = s² r - c φ q₊. If b is not in the range of A, ‖A r‖ / ‖r‖ falls to
    rounding errors, which then take over; the iterate where it was least is the least-squares solution.
    """
    own, watch, A = run.system.kind, run.watch, run.system.map(run.system.A)
    xp, floor = own.xp, 4 * own.eps
    r = run.begin(x)
    start = run.norms(r)
    watch.replace(start)
    y = precondition(r)
    first = inner(r, y)
    beta = xp.sqrt(watch.ratio(PRECONDITIONER, first, watch.one, first))
    q, u, phi = _over(beta, r), _over(beta, y), beta
    q_before = w = w_before = xp.zeros_like(r)
    c, s, diagonal, corner, size, beta = -watch.one, watch.zero, watch.zero, watch.zero, watch.zero, watch.zero
    flat, flattest, spoiled = x, watch.one * float("inf"), watch.zero > 0
    for _ in run.steps():
        p = A(u) - beta * q_before
        alpha = inner(u, p)
        watch.halt(~xp.isfinite(alpha), OPERATOR, alpha * first)
        p = p - alpha * q
        y = precondition(p)
        square = inner(p, y)
        size = xp.maximum(size, xp.abs(alpha) + beta)
        tiny = (floor * size) ** 2
        watch.halt(~(xp.isfinite(square) & (square >= -tiny)), PRECONDITIONER, square * first)
        beta = xp.sqrt(xp.where(watch.active & (square > tiny), square, watch.zero))

        delta, pivot = c * diagonal + s * alpha, s * diagonal - c * alpha
        epsilon, corner, diagonal = corner, s * beta, -c * beta
        root = xp.hypot(pivot, diagonal)
        spoiled = spoiled | ((flattest <= own.eps**0.5 * size) & (root > 1000 * flattest))
        flatter = watch.active & ~spoiled & (root < flattest)
        flat, flattest = xp.where(flatter, x, flat), xp.where(flatter, root, flattest)
        watch.halt(root <= floor * size, EXHAUSTED, watch.zero)
        gamma = xp.hypot(pivot, beta)
        c, s = _over(gamma, pivot), _over(gamma, beta)
        w_before, w = w, _over(gamma, u - epsilon * w_before - delta * w)
        x = xp.where(watch.active, x + c * phi * w, x)
        phi = s * phi
        q_before, q, u = q, _over(beta, p), _over(beta, y)
        r = xp.where(watch.active, s**2 * r - c * phi * q, r)
        watch.record(run.norms(r))
        run.tell(x)
    return run.settled(x, flat, start)[0]


def _over(length: Array, x: Array) -> Array:
    """x / length, and zero where the length is."""
    xp = namespace(length)
    positive = length > 0
    return xp.where(positive, x / xp.where(positive, length, xp.ones_like(length)), xp.zeros_like(x))
