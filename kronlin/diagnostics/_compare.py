"""compare: preconditioners of one system side by side, against its exact solution."""

from collections.abc import Callable, Mapping
from math import sqrt
from statistics import median
from time import perf_counter
from typing import Any, cast

from kronlin.algebra import Identity, Operator, rules
from kronlin.arrays import Array, all_finite, kind, random_normal
from kronlin.diagnostics.comparison import Comparison, Row
from kronlin.krylov import cg, condition_number, deflated_cg
from kronlin.krylov._inner import inner
from kronlin.twolevel import TwoLevel

Candidate = Any
"""None (no preconditioner), an operator or array M, or a function that returns one, or that returns b ↦ step."""


def compare(
    A: Any,
    candidates: Mapping[str, Candidate],
    b: Array,
    *,
    rtol: float = 1e-8,
    maxiter: int | None = None,
    solution: Array | None = None,
    callback: Callable[[str], object] | None = None,
) -> Comparison:
    """Compare preconditioners M of A x = b by their single step M b and inside CG.

    The columns: the error of the step M b in the A-norm relative to A⁻¹ b, as it is and with the best scalar factor
    (1 is the zero step); its cosine with A⁻¹ b; the condition number of M A to 1% (on the complement of the null space
    for the deflation schemes; for A-DEF1 and A-DEF2 that of BNN, whose nonzero spectrum they share); steps of CG, or
    of `deflated_cg` for the schemes that need it; milliseconds to set up and to apply.

    Args:
        A: the operator of the system, self-adjoint and positive definite.
        candidates: by name: None, an M, a function without arguments that builds M (then set-up is timed), or one that
            builds a function b ↦ step (a one-shot step that is not linear in b: condition and CG have no meaning).
        b: the right-hand side (p,).
        rtol: relative residual at which CG stops.
        maxiter: the most steps of CG.
        solution: A⁻¹ b if it is known; `A.solve(b)` if None.
        callback: called with each name when its row is done.

    Raises:
        ValueError: b is not (p,), or has a NaN or an Inf; A has no exact solve and `solution` is not given.

    >>> import numpy as np
    >>> table = compare(np.diag([1.0, 4.0]), {"none": None, "exact": np.diag([1.0, 0.25])}, np.ones(2))
    >>> table["none"].iterations, table["exact"].iterations
    (2, 1)

    Source: the one-step error is the energy norm of arXiv 2303.18083, section 3; conditions: Tang et al. (2009).
    """
    A = rules.wrap(A)
    if b.ndim != 1 or b.shape[0] != A.shape[0]:
        raise ValueError(f"compare takes b of shape ({A.shape[0]},) for {A!r}, not {tuple(b.shape)}")
    if not all_finite(b):
        raise ValueError("compare: b has an entry that is NaN or infinite")
    exact = A.solve(b) if solution is None else solution
    rows = []
    for name, candidate in candidates.items():
        M, setup = _build(candidate, A)
        x, apply = _timed(M.matvec if isinstance(M, Operator) else M, b)
        errors = _step_errors(A, x, exact)
        solved, spectrum = (
            (_solve(A, M, b, rtol, maxiter), _condition(A, M)) if isinstance(M, Operator) else (None, None)
        )
        rows.append(
            Row(
                name,
                *errors,
                condition=None if spectrum is None else spectrum.value,
                iterations=None if solved is None else solved.iterations,
                setup=setup,
                apply=apply,
                converged=solved is not None and solved.info == 0,
                residuals=() if solved is None else tuple(map(float, solved.residuals[:, 0])),
                ritz_values=() if spectrum is None else tuple(map(float, spectrum.ritz_values)),
            )
        )
        if callback is not None:
            callback(name)
    return Comparison(rows, rtol)


def _build(candidate: Candidate, A: Operator) -> tuple[Any, float | None]:
    """Return M, or a step function, and the milliseconds that building took (None if nothing was built)."""
    if candidate is None:
        return Identity(A.shape[0], like=A), None
    if isinstance(candidate, Operator) or not callable(candidate):
        return rules.wrap(candidate), None
    start = perf_counter()
    built = candidate()
    M = built if callable(built) and not isinstance(built, Operator) else rules.wrap(built)
    return M, 1e3 * (perf_counter() - start)


def _timed(step: Callable[[Array], Array], b: Array, runs: int = 3) -> tuple[Array, float]:
    """Return the result and the median of milliseconds; a scalar is read so that a device has finished."""
    times = []
    for _ in range(runs):
        start = perf_counter()
        result = step(b)
        complex(kind(result).xp.sum(result))
        times.append(1e3 * (perf_counter() - start))
    return result, median(times)


def _step_errors(A: Operator, x: Array, exact: Array) -> tuple[float, float, float]:
    """Error of x in the A-norm relative to the solution, the same for the best multiple of x, and the cosine."""

    def dot(u: Array, v: Array) -> float:
        return complex(kind(u).xp.vecdot(u, v)).real

    image = A @ exact
    size, length, overlap = dot(exact, image), dot(x, A @ x), dot(x, image)
    difference = x - exact
    error = sqrt(max(dot(difference, A @ difference), 0.0) / size) if size else 0.0
    scaled = sqrt(max(1 - overlap**2 / (length * size), 0.0)) if length and size else 1.0
    norms = sqrt(dot(x, x) * dot(exact, exact))
    return error, scaled, dot(x, exact) / norms if norms else 0.0


def _solve(A: Operator, M: Operator, b: Array, rtol: float, maxiter: int | None) -> Any:
    """Solve by the method that fits M; None where there is none."""
    if isinstance(M, TwoLevel) and M.scheme.solver == "deflated_cg":
        return deflated_cg(A, b, M.coarse, M.M, scheme=cast(Any, M.scheme.name), rtol=rtol, maxiter=maxiter)
    if M.is_self_adjoint is False:
        return None
    return cg(A, b, M=M, rtol=rtol, maxiter=maxiter)


def _condition(A: Operator, M: Operator) -> Any:
    """The condition number of M A; a two-level M is replaced by a self-adjoint, regular one with the same spectrum.

    For A-DEF1 and A-DEF2 that is BNN. The singular schemes have its spectrum but for ones in place of zeros, which
    do not count once they lie inside the others: M is scaled by a Rayleigh quotient of those.
    """
    if isinstance(M, TwoLevel) and not (M.scheme.self_adjoint and M.scheme.definite):
        M = M.with_scheme("BNN", None if M.scheme.definite else M.M / _quotient(A, M))
    return None if M.is_self_adjoint is False else condition_number(A, M=M, rtol=1e-2)


def _quotient(A: Operator, M: TwoLevel) -> float:
    """rᴴ M A M r / rᴴ M r for an r with Zᴴ r = 0: between the extreme nonzero eigenvalues of M P A."""
    r = M.coarse.P @ random_normal(A.kind, (A.shape[0], 1), 0)
    y = M.M @ r
    return float(inner(y, M.coarse.P @ (A @ y))[0]) / float(inner(y, r)[0])
