"""gmres: the flexible generalised minimal residual method, for any square operator and any preconditioner."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kronlin.arrays import Array, is_linear_map, kind, to_numpy
from kronlin.krylov.arnoldi import Arnoldi
from kronlin.krylov.driver import Run
from kronlin.krylov.hessenberg import Hessenberg
from kronlin.krylov.result import KrylovResult, Numbers
from kronlin.krylov.stopping import EXHAUSTED, PRODUCT, STAGNATED, limits
from kronlin.krylov.system import System, checked_number, enter, square

_RESTART = 30


def gmres(
    A: Any,
    b: Array,
    x0: Array | None = None,
    *,
    rtol: float = 1e-5,
    atol: float = 0.0,
    restart: int | None = None,
    maxiter: int | None = None,
    M: Any = None,
    callback: Callable[[Array], Any] | None = None,
    check_every: int | None = None,
    progress: bool = False,
) -> KrylovResult:
    """Solve A x = b for any square A, with any M, which may change from step to step.

    The iterate minimises ‖b - A x‖ over x₀ + span{z₁, …, zⱼ} with zᵢ = M vᵢ and orthonormal v₁, …, vⱼ, v₁ along
    b - A x₀; after `restart` steps this starts anew from x. The preconditioner stands on the right, so the residual
    is the true one, and it never grows. Each column of b has a space of its own, and they share the products: a
    step costs one product with A and one with M, and 8 n j operations a column; 2 n `restart` numbers a column are
    kept, half of that without M. For self-adjoint A and M `minres` and `cg` need no more than a few vectors.

    Args:
        A: operator or array (n, n).
        b: right-hand side (n,) or (n, k) of the kind of A.
        x0: where to start, of the shape of b; zero if None.
        rtol, atol: a column has converged when ‖b - A x‖ ≤ max(rtol ‖b‖, atol).
        restart: steps between restarts, the smaller of n and 30 if None.
        maxiter: largest number of steps, 10 n if None. As in `cg` these are products with A, where SciPy's gmres
            counts cycles of `restart` steps.
        M: operator or array that approximates A⁻¹, self-adjoint or not; or a function of a block (n, k) that
            returns one, linear or not, such as a few steps of another solver; the identity if None.
        callback: called as `callback(xk)` after every step, with xk of the shape of b; xk is formed for it, at
            the cost of 2 n j operations a column.
        check_every: steps between two looks at the flags (each is one synchronisation); 1 on the host and 10 on an
            accelerator if None. The solution does not depend on it.
        progress: whether to show a tqdm bar.

    Returns:
        A `KrylovResult`, which unpacks as SciPy's `(x, info)`. Its `status` tells an exhausted space (A is
        singular) and stagnation (a whole cycle that lowered the residual by less than √eps of it).

    Raises:
        ValueError: shapes or kinds do not fit, or b or x0 has a NaN or an Inf.

    >>> import numpy as np, kronlin as kl
    >>> kl.krylov.gmres(np.array([[1.0, 1.0], [-1.0, 1.0]]), np.array([2.0, 0.0]))
    KrylovResult(converged: after 2 iterations the relative residual is ... (wanted 1.0e-05))

    Source: Saad and Schultz, SIAM J. Sci. Stat. Comput. 7 (1986); Saad, SIAM J. Sci. Comput. 14 (1993), algorithm
    2.2, for the flexible form.
    """
    varying = callable(M) and not is_linear_map(M)
    A, fixed = square("gmres", A, None if varying else M)
    system = enter("gmres", A, fixed, b, x0)
    stop = limits(system, rtol, atol, maxiter, 1 if callback is not None else check_every, "gmres")
    length = _RESTART if restart is None else int(checked_number("gmres", "restart", restart, 1))
    run = Run(system, stop, name="gmres", callback=callback, progress=progress)
    precondition = _checked(M, system) if varying else None if fixed is None else system.map(fixed)

    def cycles(x: Array) -> Array:
        r = run.begin(x)
        run.watch.replace(run.norms(r))
        while run.left > 0 and not run.watch.is_over():
            x, r = _cycle(run, precondition, x, r, max(1, min(length, A.shape[0])))
            run.watch.replace(run.norms(r))
        return x

    return run.solve(cycles)


def _checked(M: Callable[[Array], Array], system: System) -> Callable[[Array], Array]:
    """The preconditioner, with what it returns compared to what it was given."""

    def precondition(v: Array) -> Array:
        z = M(v)
        if tuple(z.shape) != tuple(v.shape) or kind(z) != system.kind:
            raise ValueError(
                f"gmres: M returned {kind(z)} of shape {tuple(z.shape)} for a block of {system.kind} of shape "
                f"{tuple(v.shape)}; return one of the same shape and kind"
            )
        return z

    return precondition


def _cycle(
    run: Run, precondition: Callable[[Array], Array] | None, x: Array, r: Array, length: int
) -> tuple[Array, Array]:
    """Minimise the residual r of x over a Krylov space of at most `length` dimensions for each column."""
    system, watch, own = run.system, run.watch, run.system.kind
    r = own.xp.where(watch.active, r, own.xp.zeros_like(r))
    start = run.norms(r)
    floor = 10 * own.eps * length**0.5
    arnoldi = Arnoldi(system.map(system.A), precondition, r, start, floor)
    small = Hessenberg(to_numpy(start), length, "complex128" if own.is_complex else "float64", floor)
    before = watch.steps

    def iterate() -> Array:
        taken = to_numpy(watch.steps - before).astype(int)
        return x + arnoldi.combine(own.asarray(small.solve(taken)))

    pending: list[Array] = []
    for looks in run.steps(length):
        pending.append(arnoldi.step())
        if looks:
            _reduce(run, small, to_numpy(own.xp.concat(pending, axis=1)), len(pending))
            pending = []
            if run.callback is not None:
                run.tell(iterate())
    if small.columns == length:
        watch.halt(watch.history[-1] > (1 - own.eps**0.5) * start, STAGNATED, start)
    return run.settled(iterate(), x, run.norms(r))


def _reduce(run: Run, small: Hessenberg, columns: Numbers, count: int) -> None:
    """Take the last `count` columns of H̄ into the small problems, and note what they say."""
    watch, on_device = run.watch, run.system.columns
    for _ in range(count):
        width = small.columns + 2
        column, columns = columns[:, :width], columns[:, width:]
        finite = np.asarray(np.isfinite(column).all(axis=1))
        watch.halt(on_device(~finite) > 0, PRODUCT, on_device(column[:, -1].real))
        column = np.where(finite[:, None], column, 0.0)
        watch.record(on_device(small.append(column)))
        watch.halt(on_device(column[:, -1] == 0) > 0, EXHAUSTED, watch.zero)
