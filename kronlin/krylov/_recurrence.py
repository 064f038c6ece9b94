"""The generalised preconditioned conjugate gradient recurrence that all schemes share."""

from collections.abc import Callable
from dataclasses import dataclass

from kronlin.arrays import Array
from kronlin.krylov._inner import inner
from kronlin.krylov.driver import Run
from kronlin.krylov.result import KrylovResult
from kronlin.krylov.stopping import OPERATOR, PRECONDITIONER

Map = Callable[[Array], Array]


def unchanged(x: Array) -> Array:
    """The identity map."""
    return x


@dataclass(frozen=True)
class Scheme:
    """The maps in which the schemes differ; the defaults are those of plain conjugate gradients."""

    precondition: Map = unchanged
    """M₁: y = M₁ r."""

    direct: Map = unchanged
    """M₂: p = M₂ y + β p."""

    project: Map = unchanged
    """M₃: w = M₃ A p, and r = M₃ (b - A x) at the start."""

    correct: Callable[[Array, Array], tuple[Array, Array]] | None = None
    """The adapted start: (x, r) ↦ (x + Q r, r - A Q r)."""

    reproject: bool = False
    """Whether to correct after every step, not only at the start."""

    finish: Map = unchanged
    """The map from the iterate to the solution."""


def solve(run: Run, scheme: Scheme) -> KrylovResult:
    """Run the recurrence of a scheme.

    y = M₁ r, β = (r, y) / (r, y)_old, p = M₂ y + β p; w = M₃ A p, α = (r, y) / (p, w), x += α p, r -= α w.

    Source: Tang, Nabben, Vuik, Erlangga, J. Sci. Comput. 39 (2009), algorithm 1.
    """
    return run.solve(lambda x: scheme.finish(_advance(run, scheme, x)))


def _begin(run: Run, scheme: Scheme, x: Array) -> tuple[Array, Array]:
    """The start of the scheme from any x, and its residual."""
    r = run.residual(x)
    if scheme.correct is not None:
        x, r = scheme.correct(x, r)
    return x, scheme.project(r)


def _advance(run: Run, scheme: Scheme, x: Array) -> Array:
    """Iterate until all columns rest or the steps are used up; resting columns have a zero direction."""
    xp, watch, window = run.system.kind.xp, run.watch, run.window
    A = run.system.map(run.system.A)
    x, r = _begin(run, scheme, x)
    watch.replace(run.norms(r))
    p = rest = xp.zeros_like(r)
    rho = watch.one
    if window is not None:
        window.begin()
    for _ in run.steps():
        y = scheme.precondition(r)
        old, rho = rho, inner(r, y)
        beta = watch.ratio(PRECONDITIONER, rho, old, rho)
        y = scheme.direct(y)
        p = xp.where(watch.active, y + beta * p, rest)
        w = scheme.project(A(p))
        curvature = inner(p, w)
        alpha = watch.ratio(OPERATOR, rho, curvature, curvature)
        if window is not None:
            window.note(y, rho, beta, alpha)
        x = x + alpha * p
        r = xp.where(watch.active, r - alpha * w, r)
        if scheme.reproject and scheme.correct is not None:
            corrected = scheme.correct(x, r)
            x, r = (xp.where(watch.active, new, now) for new, now in zip(corrected, (x, r), strict=True))
        watch.record(run.norms(r))
        if run.callback is not None:
            run.tell(scheme.finish(x))
    return x
