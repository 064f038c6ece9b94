"""The generalised preconditioned conjugate gradient recurrence that all schemes share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kronlin.arrays import Array, optional_import
from kronlin.krylov._inner import inner
from kronlin.krylov.result import KrylovResult
from kronlin.krylov.stopping import OPERATOR, PRECONDITIONER, Limits, Watch
from kronlin.krylov.system import System

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


def solve(
    system: System,
    scheme: Scheme,
    limits: Limits,
    *,
    name: str,
    callback: Callable[[Array], Any] | None = None,
    progress: bool = False,
) -> KrylovResult:
    """Run the recurrence from x₀ until every column is done, and again from the true residual where it deceived.

    y = M₁ r, β = (r, y) / (r, y)_old, p = M₂ y + β p; w = M₃ A p, α = (r, y) / (p, w), x += α p, r -= α w.

    Source: Tang, Nabben, Vuik, Erlangga, J. Sci. Comput. 39 (2009), algorithm 1.
    """
    xp = system.kind.xp
    watch = Watch(system, limits)
    x = system.x0
    norms, stagnated = None, False
    with _progress_bar(progress, name, watch) as show:
        while True:
            x, r = _begin(system, scheme, x)
            watch.replace(xp.sqrt(inner(r, r)))
            x = _advance(system, scheme, watch, x, r, callback, show)
            x = scheme.finish(x)
            residual = system.b - system.A @ x
            previous, norms = norms, xp.sqrt(inner(residual, residual))
            met, broken = watch.judge(norms)
            again = system.kind.real.asarray([float(flag) for flag in ~(met | broken)]) > 0
            if len(watch.history) > limits.maxiter or not bool(xp.any(again)):
                break
            # the recurrence was driven below the tolerance, but the true residual did not follow
            if previous is not None and not bool(xp.any(again & (norms < previous / 2))):
                stagnated = True
                break
            watch.active = again
    return KrylovResult(system.unscaled(x), **watch.report(norms, stagnated))


def _begin(system: System, scheme: Scheme, x: Array) -> tuple[Array, Array]:
    """The start of the scheme from any x, and its residual."""
    r = system.b - system.A @ x
    if scheme.correct is not None:
        x, r = scheme.correct(x, r)
    return x, scheme.project(r)


def _advance(
    system: System,
    scheme: Scheme,
    watch: Watch,
    x: Array,
    r: Array,
    callback: Callable[[Array], Any] | None,
    show: Callable[[int], None],
) -> Array:
    """Iterate until all columns rest or the steps are used up; resting columns have a zero direction."""
    xp, limits = system.kind.xp, watch.limits
    A = system.map(system.A)
    p = rest = xp.zeros_like(r)
    rho = watch.one
    while not watch.is_over() and len(watch.history) <= limits.maxiter:
        burst = min(limits.check_every, limits.maxiter + 1 - len(watch.history))
        for _ in range(burst):
            y = scheme.precondition(r)
            old, rho = rho, inner(r, y)
            beta = watch.ratio(PRECONDITIONER, rho, old, rho)
            p = xp.where(watch.active, scheme.direct(y) + beta * p, rest)
            w = scheme.project(A(p))
            curvature = inner(p, w)
            alpha = watch.ratio(OPERATOR, rho, curvature, curvature)
            x = x + alpha * p
            r = xp.where(watch.active, r - alpha * w, r)
            if scheme.reproject and scheme.correct is not None:
                corrected = scheme.correct(x, r)
                x, r = (xp.where(watch.active, new, now) for new, now in zip(corrected, (x, r), strict=True))
            watch.record(xp.sqrt(inner(r, r)))
            if callback is not None:
                callback(system.unscaled(scheme.finish(x)))
        show(burst)
    watch.trim()
    return x


@contextmanager
def _progress_bar(wanted: bool, name: str, watch: Watch) -> Iterator[Callable[[int], None]]:
    """Show a bar of steps with the largest relative residual, if wanted."""
    if not wanted:
        yield lambda steps: None
        return
    tqdm = optional_import("tqdm", extra="demo").tqdm
    with tqdm(total=watch.limits.maxiter, desc=name, unit="step") as bar:

        def show(steps: int) -> None:
            bar.set_postfix_str(f"residual {watch.worst():.1e}", refresh=False)
            bar.update(steps)

        yield show
