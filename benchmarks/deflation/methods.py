"""The nine methods as rows of a table, and the generalised conjugate gradients that runs them.

The recurrence is written out here, plain as it is in the paper: kronlin's solvers refuse the rows that are unsafe, and
mend the drift of A-DEF2. The operators are kronlin's.

Source: Tang, Nabben, Vuik, Erlangga, J. Sci. Comput. 39 (2009), algorithm 1 and table 2.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import kronlin as kl
from deflation.problems import Problem
from kronlin.twolevel import Galerkin

STEPS = 200
METHODS = ("PREC", "AD", "DEF1", "DEF2", "A-DEF1", "A-DEF2", "BNN", "R-BNN1", "R-BNN2")


class Method(NamedTuple):
    """A row of table 2: the start, the maps M₁, M₂, M₃ of algorithm 1, and the map from iterate to solution."""

    start: np.ndarray
    M1: kl.Operator
    M2: kl.Operator
    M3: kl.Operator
    end: Callable[[np.ndarray], np.ndarray]


def methods(p: Problem, coarse: Galerkin) -> dict[str, Method]:
    """The nine methods, from x̄ = 0."""
    M, Q, P, one = p.M, coarse.Q, coarse.P, kl.Identity(len(p.b), like=p.A)
    zero, adapted = np.zeros_like(p.b), Q @ p.b

    def same(x: np.ndarray) -> np.ndarray:
        return x

    return {
        "PREC": Method(zero, M, one, one, same),
        "AD": Method(zero, M + Q, one, one, same),
        "DEF1": Method(zero, M, one, P, lambda x: adapted + P.H @ x),
        "DEF2": Method(adapted, M, P.H, one, same),
        "A-DEF1": Method(zero, M @ P + Q, one, one, same),
        "A-DEF2": Method(adapted, P.H @ M + Q, one, one, same),
        "BNN": Method(zero, P.H @ M @ P + Q, one, one, same),
        "R-BNN1": Method(adapted, P.H @ M @ P, one, one, same),
        "R-BNN2": Method(adapted, P.H @ M, one, one, same),
    }


def error(p: Problem, x: np.ndarray) -> float:
    """‖x - A⁻¹ b‖_A / ‖A⁻¹ b‖_A."""
    e = x - p.x
    return float(np.sqrt(e @ (p.A @ e) / (p.x @ p.b)))


def errors(p: Problem, method: Method, offset: np.ndarray) -> np.ndarray:
    """Algorithm 1 from start + offset: the errors at the start and after each step."""
    A, (start, M1, M2, M3, end) = p.A, method
    x = start + offset
    r = M3 @ (p.b - A @ x)
    y = M1 @ r
    d, rho, curve = M2 @ y, r @ y, [error(p, end(x))]
    with np.errstate(all="ignore"):  # a method that breaks down is shown as far as it came
        while len(curve) <= STEPS and np.isfinite(curve[-1]):
            w = M3 @ (A @ d)
            curvature = d @ w
            if rho == 0 or curvature == 0:  # the residual of the recurrence has underflowed: it ended
                break
            alpha = rho / curvature
            x, r = x + alpha * d, r - alpha * w
            y = M1 @ r
            rho, old = r @ y, rho
            d = M2 @ y + rho / old * d
            curve.append(error(p, end(x)))
    return np.array(curve)


def inaccurate(p: Problem, psi: float) -> Galerkin:
    """The coarse problem with (I + ψR) E⁻¹ (I + ψR) in place of E⁻¹, R symmetric with entries up to 1/2."""
    coarse = Galerkin(p.A, p.Z)
    R = np.random.default_rng(1).uniform(-0.5, 0.5, (coarse.k, coarse.k))
    disturbance = np.eye(coarse.k) + psi * (R + R.T) / 2
    coarse.E_inverse = kl.Dense(disturbance @ coarse.E_inverse.to_dense() @ disturbance)
    return coarse


def library(p: Problem, coarse: Galerkin, offset: np.ndarray) -> dict[str, np.ndarray]:
    """The errors in kronlin's own solvers, which recompute the residual at the end and go on if it lags behind."""

    def run(solver: Callable[..., object], *more: object, **options: object) -> np.ndarray:
        curve = [error(p, offset)]
        options |= {"x0": offset, "rtol": 0.0, "maxiter": STEPS, "callback": lambda x: curve.append(error(p, x))}
        with np.errstate(all="ignore"):
            solver(p.A, p.b, *more, **options)
        return np.array(curve)

    P = coarse.P
    return {
        "BNN in cg": run(kl.cg, M=P.H @ p.M @ P + coarse.Q),
        "DEF1 in deflated_cg": run(kl.deflated_cg, coarse, p.M, scheme="DEF1"),
        "A-DEF2 in deflated_cg": run(kl.deflated_cg, coarse, p.M, scheme="A-DEF2"),
    }
