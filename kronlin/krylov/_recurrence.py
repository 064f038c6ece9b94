"""The generalised preconditioned conjugate gradient recurrence that all schemes share."""

from collections.abc import Callable
from dataclasses import dataclass

from kronlin.arrays import Array, advance, turn
from kronlin.krylov._inner import inner
from kronlin.krylov.columns import Columns
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

    correct: Callable[[Array], tuple[Array, Array]] | None = None
    """The adapted start: r ↦ (Q r, A Q r), which x gains and r loses."""

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
    r = run.begin(x)
    if scheme.correct is not None:
        x, r = _corrected(run, scheme.correct, x, r)
    return x, scheme.project(r)


def _corrected(run: Run, correct: Callable[[Array], tuple[Array, Array]], x: Array, r: Array) -> tuple[Array, Array]:
    """x + Q r and r - A Q r in the active columns."""
    watch, (step, image) = run.watch, correct(r)
    return advance(x, watch.one, step, watch.active), advance(r, -watch.one, image, watch.active)


def _advance(run: Run, scheme: Scheme, x: Array) -> Array:
    """Iterate until all columns rest or the steps are used up; resting columns have a zero direction.

    Three inner products, and each of p, x and r written once in place: six passes over memory beside the products.
    """
    watch, window = run.watch, run.window
    A = run.system.map(run.system.A)
    x, r = _begin(run, scheme, x)
    watch.replace(run.norms(r))
    p = run.system.kind.xp.zeros_like(r)
    rho = watch.one
    columns = Columns(run)
    if window is not None:
        window.begin()
    for _ in run.steps():
        if columns.are_few():
            x, r, p, rho = columns.narrowed(x, r, p, rho)
        y = scheme.precondition(r)
        old, rho = rho, inner(r, y)
        beta = watch.ratio(PRECONDITIONER, rho, old, rho)
        p = turn(p, beta, scheme.direct(y), watch.active)
        w = scheme.project(A(p))
        curvature = inner(p, w)
        alpha = watch.ratio(OPERATOR, rho, curvature, curvature)
        if window is not None:
            window.note(y, rho, beta, alpha)
        x = advance(x, alpha, p, watch.active)
        r = advance(r, -alpha, w, watch.active)
        if scheme.reproject and scheme.correct is not None:
            x, r = _corrected(run, scheme.correct, x, r)
        watch.record(run.norms(r))
        if run.callback is not None:
            run.tell(scheme.finish(x))
    return columns.widened(x)
