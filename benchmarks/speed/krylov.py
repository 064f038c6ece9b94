"""The cost of a step of conjugate gradients beside the products it needs, for 1 right-hand side and for 16.

A is the damped Fisher matrix, M the damped inverse of K-FAC, both kronlin's, handed to every solver as its own kind of
linear operator. All make the same numbers of steps, with tolerances of zero, and the time of a step is the difference
of two such runs, so that neither the start nor a rule of stopping counts. These rules are: kronlin ‖b - A x‖ ≤ rtol ‖b‖
column by column, recomputed at the end; SciPy ‖r‖ ≤ rtol ‖b‖ of the recurrence; linear_operator (curvlinops calls the
same) the mean over the columns of ‖r‖ / ‖b‖, after at least 10 steps; CoLA ‖r‖ ≤ tol ‖b‖ of the recurrence; lineax
the largest |r| / (atol + rtol |b|) of an entry; PyLops ‖r‖² ≤ tol. SciPy, lineax and PyLops take one right-hand side;
PyLops takes no M, and stands in a contest of its own. lineax takes part for net b alone: where pᴴAp / rᴴMr is below 100
times the machine's precision times the number of rows, which is so at once for net a in float32, it returns NaN.

Run `python -m speed.krylov` in this folder's parent for nets a and b (several minutes), or name nets and dtypes:
`python -m speed.krylov b float32` takes a minute, and its result has these alone.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import scipy.sparse.linalg

import kronlin as kl
from speed.contest import absent_rows, agree, rows, samples
from speed.peers import Call, entered, tensor
from speed.record import record
from speed.workloads import KINDS, layers, vectors

LAM = 1e-2
STEPS = {"a": (1, 3), "b": (3, 13)}
ROUNDS = {"a": 2, "b": 5}
TOLERANCE = {"float32": 1e-2, "float64": 1e-8}
Solver = Callable[[int], Any]


def kronlin(A: Any, M: Any, b: np.ndarray) -> Solver:
    """A run of so many steps."""
    return lambda steps: kl.cg(A, b, M=M, rtol=0.0, maxiter=steps).x


def by_scipy(A: Any, M: Any, b: np.ndarray) -> Solver:
    """SciPy's cg."""
    A, M = A.to_scipy(), None if M is None else M.to_scipy()
    return lambda steps: scipy.sparse.linalg.cg(A, b, rtol=0.0, maxiter=steps, M=M)[0]


def by_linear_operator(A: Any, M: Any, b: np.ndarray) -> Solver:
    """The function that linear_operator, GPyTorch and curvlinops call."""
    solve, A, M = import_module("linear_operator").utils.linear_cg, A.to("torch"), M.to("torch")
    side = tensor(b if b.ndim == 2 else b[:, None])
    exact = {"tolerance": 0.0, "stop_updating_after": 0.0, "max_tridiag_iter": 0}

    def run(steps: int) -> Any:
        x = solve(A.matmat, side, preconditioner=M.matmat, max_iter=steps, **exact)
        return x if b.ndim == 2 else x[:, 0]

    return run


def by_cola(A: Any, M: Any, b: np.ndarray) -> Solver:
    """CoLA's cg, on PyTorch."""
    cola, side = import_module("cola"), tensor(b)
    solve = import_module("cola.linalg.inverse.cg").cg

    def wrapped(operator: Any) -> Any:
        operator = operator.to("torch")
        return cola.ops.LinearOperator(side.dtype, operator.shape, matmat=operator.matmat)

    A, M = wrapped(A), wrapped(M)
    return lambda steps: solve(A, side, P=M, tol=1e-30, max_iters=steps)[0]


def by_lineax(A: Any, M: Any, b: np.ndarray) -> Solver:
    """Lineax's CG, compiled with the products."""
    lx, jax = import_module("lineax"), import_module("jax")
    jax.config.update("jax_enable_x64", True)
    side = jax.numpy.asarray(b)
    given = jax.ShapeDtypeStruct(side.shape, side.dtype)

    def wrapped(operator: Any) -> Any:
        operator = operator.to("jax")
        operator @ side  # settles what is known of it, which a traced product cannot
        return lx.FunctionLinearOperator(
            lambda x: operator._matmat(x[:, None])[:, 0], given, lx.positive_semidefinite_tag
        )

    A, M = wrapped(A), wrapped(M)

    @jax.jit  # the number of steps is an argument: net b takes a quarter of a minute to compile
    def run(b: Any, steps: Any) -> Any:
        solver = lx.CG(rtol=1e-12, atol=1e-12, max_steps=steps)
        return lx.linear_solve(A, b, solver, options={"preconditioner": M}, throw=False).value

    return lambda steps: run(side, steps).block_until_ready()


def by_pylops(A: Any, M: Any, b: np.ndarray) -> Solver:
    """PyLops' cg, which takes no preconditioner."""
    pylops = import_module("pylops")
    operator = pylops.FunctionOperator(A.matvec, A.matvec, *A.shape, dtype=b.dtype)
    return lambda steps: pylops.optimization.basic.cg(operator, b, niter=steps, tol=0.0)[0]


LIMIT = "limit: the products"


def contest(net: str, runs: dict[str, Solver], once: Call, **facts: object) -> list[dict[str, object]]:
    """The rows of solvers, by the time of their products, in one run."""
    few, many = (1, 2) if (net, facts["vectors"]) == ("a", 16) else STEPS[net]  # a second a step, or two
    agree({name: lambda run=run: run(few) for name, run in runs.items()}, TOLERANCE[str(facts["dtype"])])
    calls: dict[str, Call] = {LIMIT: once}
    for steps in (few, many):
        calls |= {f"{name} {steps}": lambda run=run, steps=steps: run(steps) for name, run in runs.items()}
    taken = samples(calls, ROUNDS[net])
    each = {}
    for name in runs:
        pairs = zip(taken[f"{name} {few}"], taken[f"{name} {many}"], strict=True)
        each[name] = [(last - first) / (many - few) for first, last in pairs]
    return rows(each | {LIMIT: taken[LIMIT]}, LIMIT, 1.0, question="krylov", net=net, **facts)


def measure(net: str, dtype: str) -> list[dict[str, object]]:
    """With M and one right-hand side, with M and 16, and without M."""
    statistics = layers(net, dtype)
    A, M = kl.fisher(statistics).damped(LAM), kl.kfac(statistics).damped(LAM).inverse()
    b, block = vectors(net, dtype), vectors(net, dtype, 16)
    peers = {"SciPy": by_scipy, "linear_operator": by_linear_operator, "CoLA": by_cola, "lineax": by_lineax}

    def built(who: list[str], sides: np.ndarray) -> tuple[dict[str, Any], list[str]]:
        return entered({name: lambda name=name: peers[name](A, M, sides) for name in who})

    table = []
    facts: dict[str, object] = {"dtype": dtype, "M": "K-FAC", "vectors": 1}
    others, absent = built([name for name in peers if name != "lineax" or net == "b"], b)
    table += contest(net, {"kronlin": kronlin(A, M, b)} | others, lambda: (A @ b, M @ b), **facts)
    table += absent_rows(absent, question="krylov", net=net, **facts)

    facts["vectors"] = 16
    others, absent = built(["linear_operator", "CoLA"], block)
    runs = {"kronlin": kronlin(A, M, block)} | (others if net == "b" else {})  # minutes for net a
    table += contest(net, runs, lambda: (A @ block, M @ block), **facts)
    table += absent_rows(absent, question="krylov", net=net, **facts)

    facts = {"dtype": dtype, "M": "none", "vectors": 1}
    others, absent = entered({"SciPy": lambda: by_scipy(A, None, b), "PyLops": lambda: by_pylops(A, None, b)})
    table += contest(net, {"kronlin": kronlin(A, None, b)} | others, lambda: A @ b, **facts)
    return table + absent_rows(absent, question="krylov", net=net, **facts)


def main(chosen: list[str]) -> None:
    """Measure all, or what was chosen."""
    nets = [net for net in STEPS if net in chosen] or list(STEPS)
    dtypes = [dtype for dtype in KINDS if dtype in chosen] or list(KINDS)
    record("speed_krylov", [row for net in nets for dtype in dtypes for row in measure(net, dtype)])


if __name__ == "__main__":
    main(sys.argv[1:])
