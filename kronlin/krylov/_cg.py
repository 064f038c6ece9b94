"""cg: the method of conjugate gradients, for one or many right-hand sides."""

from collections.abc import Callable
from typing import Any

from kronlin.arrays import Array
from kronlin.krylov._recurrence import Scheme, solve, unchanged
from kronlin.krylov.driver import Run
from kronlin.krylov.recycling import window
from kronlin.krylov.result import KrylovResult
from kronlin.krylov.stopping import limits
from kronlin.krylov.system import enter, operators

_ADVICE = (
    ": solve with the deflation schemes (DEF1, DEF2, A-DEF2, R-BNN1, R-BNN2) by deflated_cg(A, b, Z, M), take the "
    'balanced scheme "BNN", which is self-adjoint and positive definite, or use gmres'
)


def cg(
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
    recycle: int = 0,
) -> KrylovResult:
    """Solve A x = b for a self-adjoint positive definite A.

    The j-th iterate minimises ‖x - A⁻¹ b‖_A over x₀ + span{M r₀, (M A) M r₀, …}; the error falls at least like
    2 ((√κ - 1) / (√κ + 1))ʲ with κ = `condition_number(A, M)`. One product with A and one with M a step, for all
    columns of b together; each column has its own recurrence and rests once it is done, and a large block goes on
    without its resting columns as soon as they are a quarter of it. Beside the products a step reads or writes 13
    vectors. Before success is reported b - A x is recomputed, and iterated from again if it misses the tolerance.

    Args:
        A: operator or array (n, n); a singular psd A is fine if b lies in its range.
        b: right-hand side (n,) or (n, k) of the kind of A.
        x0: where to start, of the shape of b; zero if None.
        rtol, atol: a column has converged when ‖b - A x‖ ≤ max(rtol ‖b‖, atol).
        maxiter: largest number of steps; 10 n if None.
        M: self-adjoint positive definite operator or array that approximates A⁻¹; the identity if None.
        callback: called as `callback(xk)` after every step, with xk of the shape of b.
        check_every: steps between two looks at the flags (each is one synchronisation); 1 on the host and 10 on an
            accelerator if None. The solution depends on it by rounding at most.
        progress: whether to show a tqdm bar.
        recycle: number k of Ritz vectors for the smallest Ritz values of M A to hand over in
            `result.ritz_vectors` (n, k), from the steps of the first column of b. They are a coarse space for
            `deflated_cg` on the next system with this A and M, or with ones near them. They cost no product, but
            4 k vectors of length n are kept, at least 2 k + 20.

    Returns:
        A `KrylovResult`, which unpacks as SciPy's `(x, info)`. Indefiniteness of A or M is reported in its
        `status`, with the last usable iterate as x.

    Raises:
        ValueError: shapes or kinds do not fit, b or x0 has a NaN or an Inf, A or M is known not to be self-adjoint
            or positive semidefinite, or M is known to be singular.

    >>> import numpy as np, kronlin as kl
    >>> A = kl.Kronecker(np.diag([1.0, 2.0]), np.diag([1.0, 3.0]))
    >>> x, info = kl.krylov.cg(A, np.ones(4))
    >>> x, info
    (array([1. , 0.33333333, 0.5 , 0.16666667]), 0)

    Source: Hestenes and Stiefel, J. Res. Nat. Bur. Standards 49 (1952), section 3; Saad, "Iterative Methods for
    Sparse Linear Systems" (2003), algorithm 9.1.
    """
    A, M = operators("cg", A, M, _ADVICE)
    if M is not None and M.is_pd is False:
        raise ValueError(f"cg needs a positive definite M, and {M!r} is known to be singular{_ADVICE}")
    system = enter("cg", A, M, b, x0)
    scheme = Scheme(precondition=unchanged if M is None else system.map(M))
    stop = limits(system, rtol, atol, maxiter, check_every, "cg")
    kept = window(system.kind, recycle, "cg")
    return solve(Run(system, stop, name="cg", callback=callback, progress=progress, window=kept), scheme)
