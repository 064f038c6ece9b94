"""Stopping: which columns still iterate, why the others do not, and in which words the end is told."""

from typing import Any, NamedTuple

import numpy as np

from kronlin.arrays import Array, to_numpy
from kronlin.krylov.result import Numbers
from kronlin.krylov.system import System, checked_number

OPERATOR, PRECONDITIONER, PRODUCT, EXHAUSTED, STAGNATED = 1, 2, 3, 4, 5
_FORMS = {
    OPERATOR: ("operator", "pᴴAp"),
    PRECONDITIONER: ("preconditioner", "rᴴMr"),
    PRODUCT: ("operator or the preconditioner", "‖A M v‖"),
}


class Limits(NamedTuple):
    """When to stop: ‖b - A x‖ ≤ max(rtol ‖b‖, atol) in every column, or `maxiter` steps."""

    rtol: float
    atol: float
    maxiter: int
    check_every: int


def limits(system: System, rtol: Any, atol: Any, maxiter: Any, check_every: Any, caller: str) -> Limits:
    """Check the options and fill in the defaults: 10 n steps, a look at the flags every step, every 10 on a GPU."""
    if maxiter is None:
        maxiter = max(1, 10 * system.A.shape[0])
    if check_every is None:
        check_every = 10 if system.kind.is_accelerator else 1
    return Limits(
        checked_number(caller, "rtol", rtol, 0),
        checked_number(caller, "atol", atol, 0),
        int(checked_number(caller, "maxiter", maxiter, 1)),
        int(checked_number(caller, "check_every", check_every, 1)),
    )


class Watch:
    """Flags and norms of all columns; they stay on the device until somebody looks.

    A column rests as soon as its residual meets the tolerance or its recurrence breaks down, whether anybody looks
    or not, so the result does not depend on how often that is. What a step notes is put together when it is asked for.
    """

    def __init__(self, system: System, limits: Limits) -> None:
        own = system.kind.real
        self.xp = own.xp
        self.system = system
        self.limits = limits
        self.wanted = np.maximum(limits.rtol * system.norms, limits.atol / system.scale)
        self.tolerance = system.columns(self.wanted)
        # below this the recurrence no longer tells the true residual, however far it is driven
        self.floor = system.columns(np.maximum(self.wanted, own.eps * system.norms))
        self.zero, self.one = own.zeros(len(system.norms)), own.ones(len(system.norms))
        self.active = self.zero == 0
        self.seen = np.ones(len(system.norms), dtype=bool)
        self.history: list[Array] = []
        self._steps = self._fault = self._value = self.zero
        self._taken: list[Array] = []
        self._halts: list[tuple[Array, int, Array]] = []
        self._last = self.zero
        self._wholes: list[tuple[dict[str, Array], System, Numbers, Array, int]] = []

    @property
    def steps(self) -> Array:
        """Steps that each column took."""
        self._settle()
        return self._steps

    @property
    def fault(self) -> Array:
        """Why each column was put to rest, 0 if it was not or met the tolerance."""
        self._settle()
        return self._fault

    @property
    def value(self) -> Array:
        """What was to blame for it."""
        self._settle()
        return self._value

    def replace(self, norms: Array) -> None:
        """Start from residuals of these norms, in place of the last ones."""
        self._last = self.xp.where(self.active, norms, self._last) if self.history else norms
        self.history[-1:] = [self._last]
        self.active = self.active & ~(norms <= self.tolerance)

    def record(self, norms: Array) -> None:
        """Note the residual norms after a step of the active columns."""
        self._taken.append(self.active)
        self._last = self.xp.where(self.active, norms, self._last)
        self.history.append(self._last)
        self.active = self.active & ~(norms <= self.floor)

    def ratio(self, form: int, a: Array, b: Array, value: Array) -> Array:
        """a / b in the active columns, 0 in the others.

        A column where it is not positive and finite is put to rest; the blame is on `value`, pᴴAp or rᴴMr by `form`.
        """
        xp = self.xp
        positive = b > 0
        result = xp.where(positive, a, self.zero) / xp.where(positive, b, self.one)
        self.halt(~((result > 0) & xp.isfinite(result)), form, value)
        return xp.where(self.active, result, self.zero)

    def halt(self, broken: Array, form: int, value: Array) -> None:
        """Put the active ones of these columns to rest, and note why."""
        self._halts.append((self.active & broken, form, value))
        self.active = self.active & ~broken

    def _settle(self) -> None:
        if self._taken:
            taken = self.xp.astype(self.xp.stack(self._taken), self._steps.dtype)
            self._steps, self._taken = self._steps + self.xp.sum(taken, axis=0), []
        for broken, form, value in self._halts:
            self._fault = self.xp.where(broken, self.one * form, self._fault)
            self._value = self.xp.where(broken, value, self._value)
        self._halts = []

    def is_over(self) -> bool:
        """Whether every column rests (one synchronisation)."""
        seen = to_numpy(self.active)
        if np.array_equal(seen, self.seen):  # none was halted since the last look
            self._halts = []
        else:
            self._settle()
        self.seen = seen
        return not seen.any()

    def narrow(self, chosen: Array) -> None:
        """Go on with some of the columns only, until `widen`."""
        whole = self._per_column()
        self._wholes.append((whole, self.system, self.seen, chosen, len(self.history)))
        vars(self).update({name: self.xp.take(value, chosen) for name, value in whole.items()})
        places = to_numpy(chosen)
        self.seen = self.seen[places]
        self.system = self.system._replace(norms=self.system.norms[places], scale=self.system.scale[places])

    def widen(self) -> Array:
        """Take back the columns that were left out; where each column of the block stands in [whole, part]."""
        part = self._per_column()
        whole, self.system, seen, chosen, start = self._wholes.pop()
        places = np.arange(len(seen))
        places[to_numpy(chosen)] = len(seen) + np.arange(len(self.seen))
        order = self.system.kind.indices(places)

        def both(name: str, own: Array) -> Array:
            return self.xp.take(self.xp.concat([whole[name], own]), order)

        self.history[start:] = [both("_last", entry) for entry in self.history[start:]]
        vars(self).update({name: both(name, value) for name, value in part.items()})
        self.seen = to_numpy(self.active)
        return order

    def _per_column(self) -> dict[str, Array]:
        """What there is one of for each column."""
        self._settle()
        names = ("tolerance", "floor", "zero", "one", "active", "_last", "_steps", "_fault", "_value")
        return {name: getattr(self, name) for name in names}

    def trim(self) -> None:
        """Forget the steps that were made while every column rested (one synchronisation)."""
        del self.history[int(np.max(to_numpy(self.steps), initial=0.0)) + 1 :]

    def worst(self) -> float:
        """Largest relative residual norm at present (one synchronisation)."""
        return float(np.max(self._relative(self.history[-1]), initial=0.0))

    def judge(self, norms: Array) -> tuple[Numbers, Numbers]:
        """Tell which columns meet the tolerance by these true norms, and which were halted."""
        true = to_numpy(norms)
        return true <= np.asarray(to_numpy(self.tolerance)), to_numpy(self.fault) > 0

    def _relative(self, norms: Array) -> Numbers:
        unit = np.where(self.system.norms > 0, self.system.norms, 1.0)
        return np.asarray(to_numpy(norms), dtype=np.float64) / unit

    def report(self, norms: Array, stagnated: bool) -> dict[str, Any]:
        """What the result says beside x, given the true residual norms."""
        converged = self.judge(norms)[0]
        fault = np.where(converged, 0, to_numpy(self.fault))
        broken = (fault > 0) & (fault != STAGNATED)
        steps = len(self.history) - 1
        info, told = (0, "converged") if converged.all() else (max(steps, 1), "not converged")
        if broken.any():
            info, status = self._breakdown(int(np.argmax(broken)))
        else:
            status = self._sentence(told, steps, converged, self._relative(norms))
            if STAGNATED in fault:
                status += "; a whole cycle made no progress: pass a larger restart or a better M"
            elif stagnated and info:
                status += "; this is as far as rounding allows"
        return {
            "info": info,
            "converged": converged,
            "iterations": steps,
            "column_iterations": to_numpy(self.steps).astype(np.int64),
            "residuals": np.stack([self._relative(entry) for entry in self.history]),
            "true_residual": self._relative(norms),
            "status": status,
        }

    def _sentence(self, told: str, steps: int, converged: Numbers, true: Numbers) -> str:
        count = f"{steps} iteration{'' if steps == 1 else 's'}"
        if not len(true):
            return f"{told}: b has no column"
        unit = np.where(self.system.norms > 0, self.system.norms, 1.0)
        wanted = self.wanted / unit
        excess = true / np.maximum(wanted, np.finfo(np.float64).tiny)
        column = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
        where = f" in column {column}" if len(true) > 1 else ""
        words = (
            f"{told}: after {count} the relative residual is {true[column]:.1e}{where} (wanted {wanted[column]:.1e})"
        )
        if len(true) > 1 and not converged.all():
            words += f"; {int((~converged).sum())} of {len(true)} columns did not converge"
        return words

    def _breakdown(self, column: int) -> tuple[int, str]:
        form = int(to_numpy(self.fault)[column])
        value = float(to_numpy(self.value)[column]) * float(self.system.scale[column]) ** 2
        where = f"at step {int(to_numpy(self.steps)[column])} in column {column}"
        if form == EXHAUSTED:
            return (
                -form,
                f"the Krylov space is exhausted {where} and holds no solution: A or M is singular, or nearly so",
            )
        who, what = _FORMS[form]
        if not np.isfinite(value):
            return -3, f"the {who} returned a value that is not finite: {what} = {value:.3g} {where}"
        if value > 0:
            return -3, f"the recurrence left the range of numbers: {what} = {value:.3g} {where}"
        return -form, f"the {who} is not positive definite: {what} = {value:.3g} ≤ 0 {where}"
