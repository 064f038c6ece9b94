"""The time to solve with the damped exact Fisher matrix, first and again, beside iterations and hand-written NumPy.

`python -m speed.fisher_solve` takes two minutes; `python -m speed.fisher_solve float32` measures that dtype alone.
F is the empirical Fisher matrix of 256 examples of net a in PyTorch whose gradients differ in size by up to 30, so that
its eigenvalues spread over three decades, and λ is 1e-4 of the largest: the condition number is 1e4. The right-hand
side is half a mean of the gradients with random weights, in the range of F, and half normal. The first solution starts
from the stored rows, with nothing kept. Iterations stop at a residual of 1e-5, 1e-8 in double precision, or after 300
steps, and run once, with one product before to warm up; `products` says how many they took. The residuals stated are
‖b - A x‖ / ‖b‖ in double precision; a contestant whose residual is beyond 1e-2 has not solved, and gets no time. In
single precision that is lineax: it takes pᴴA p ≤ 200 n eps ‖r‖² for a breakdown, which 2.8 million unknowns meet at
once.
"""

import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, cast

import numpy as np
import scipy.sparse.linalg

import kronlin as kl
from speed import peers
from speed.contest import PAUSE, absent_rows, rows, samples
from speed.nets import Net
from speed.record import record
from speed.workloads import KINDS, vectors

EXAMPLES, SPREAD, DAMPING, STEPS, ROUNDS = 256, 30.0, 1e-4, 300, 5
RTOL = {"float32": 1e-5, "float64": 1e-8}
WRONG = 1e-2
BY_SCIPY, BY_CURVLINOPS, BY_LINEAX = "scipy's CG with kronlin's product", "curvlinops' CG", "lineax' CG, compiled"
Roots = Sequence[kl.FisherRoot]


class ByHand:
    """Woodbury's formula for c Σ u uᵀ + λ I as one writes it: the Gram matrix by Hadamard products, inverted once."""

    def __init__(self, roots: Roots, c: float, lam: float) -> None:
        self.pairs = [(root.output_gradients[:, 0, 0], root.inputs[:, 0]) for root in roots]
        self.cuts = np.cumsum([g.shape[1] * a.shape[1] for g, a in self.pairs])[:-1]
        self.lam = lam
        gram = sum((g @ g.T) * (a @ a.T) for g, a in self.pairs)
        self.inverse = np.linalg.inv(gram.astype(np.float64) + lam / c * np.eye(len(gram))).astype(gram.dtype)

    def solve(self, b: np.ndarray) -> np.ndarray:
        """(b - U S⁻¹Uᵀb) / λ."""
        pieces = zip(self.pairs, np.split(b, self.cuts), strict=True)
        inner = sum(((a @ v.reshape(g.shape[1], a.shape[1]).T) * g).sum(axis=1) for (g, a), v in pieces)
        inner = (self.inverse @ inner)[:, None]
        return (b - np.concatenate([((g * inner).T @ a).ravel() for g, a in self.pairs])) / b.dtype.type(self.lam)


class Counted:
    """A product, and how often it was called."""

    def __init__(self, product: Callable[[Any], Any]) -> None:
        self.product, self.calls = product, 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return self.product(x)


def lineax_cg(roots: Roots, c: float, lam: float, b: np.ndarray, steps: dict[str, int]) -> peers.Call:
    """CG of lineax, which compiles it, with a product written in JAX from the same rows."""
    jax, lineax = import_module("jax"), import_module("lineax")
    if b.dtype == np.float64:
        jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    pairs = [(jnp.asarray(root.output_gradients[:, 0, 0]), jnp.asarray(root.inputs[:, 0])) for root in roots]
    cuts = np.cumsum([g.shape[1] * a.shape[1] for g, a in pairs])[:-1]

    def product(v: Any) -> Any:
        pieces = zip(pairs, jnp.split(v, cuts), strict=True)
        inner = [((a @ part.reshape(g.shape[1], a.shape[1]).T) * g).sum(axis=1) for (g, a), part in pieces]
        total = sum(inner)[:, None]
        return c * jnp.concatenate([((g * total).T @ a).ravel() for g, a in pairs]) + lam * v

    side = jnp.asarray(b)
    like = jax.ShapeDtypeStruct(b.shape, b.dtype)
    operator = lineax.FunctionLinearOperator(product, like, lineax.positive_semidefinite_tag)
    rtol = RTOL[b.dtype.name]
    solver = lineax.CG(rtol=rtol, atol=rtol * float(np.abs(b).max()), max_steps=STEPS)
    jax.block_until_ready(operator.mv(side))

    def solve() -> Any:
        found = lineax.linear_solve(operator, side, solver, throw=False)
        steps[BY_LINEAX] = int(found.stats["num_steps"])
        return found.value.block_until_ready()

    return solve


def direct(it: Net, F: Any, lam: float, b: np.ndarray) -> dict[str, peers.Builder]:
    """Who solves by the formula of Woodbury."""
    roots, c = F.U.operators, it.factor / it.n

    def fresh() -> Any:
        return c * kl.LowRank(kl.VStack([kl.FisherRoot(root.inputs, root.output_gradients) for root in roots]))

    kept, by_hand = F.damped(lam), ByHand(roots, c, lam)
    inverse = kept.inverse()
    return {
        "kronlin": lambda: lambda: fresh().damped(lam).solve(b),
        "kronlin, further": lambda: lambda: kept.solve(b),
        "kronlin, inverse applied": lambda: lambda: inverse @ b,
        "NumPy by hand": lambda: lambda: ByHand(roots, c, lam).solve(b),
        "NumPy by hand, further": lambda: lambda: by_hand.solve(b),
    }


def iterative(it: Net, F: Any, lam: float, b: np.ndarray, steps: dict[str, int]) -> dict[str, peers.Builder]:
    """Who iterates; how many products each took is written to `steps`."""

    def scipy_cg() -> peers.Call:
        A = F.damped(lam)
        A.matvec(b)

        def solve() -> Any:
            product = Counted(A.matvec)
            operator = scipy.sparse.linalg.LinearOperator(A.shape, matvec=product, dtype=b.dtype)
            x = scipy.sparse.linalg.cg(operator, b, rtol=RTOL[it.dtype], maxiter=STEPS)[0]
            steps[BY_SCIPY] = product.calls
            return x

        return solve

    def curvlinops_cg() -> peers.Call:
        curvlinops, torch = import_module("curvlinops"), import_module("torch")
        operator, order = it.curvlinops("EFLinearOperator"), it.layout
        parameters = [tuple(parameter.shape) for parameter in it.torch[0].parameters()]
        like = it.torch[2]
        identity = import_module("curvlinops.examples").IdentityLinearOperator(parameters, like.device, like.dtype)
        options = {"tolerance": RTOL[it.dtype], "max_iter": STEPS}
        side = order.H @ torch.from_numpy(b)
        operator @ side
        product = operator._matmat = Counted(operator._matmat)
        solver = curvlinops.CGInverseLinearOperator(operator + lam * identity, **options)

        def solve() -> Any:
            product.calls = 0
            x = order @ (solver @ side)
            steps[BY_CURVLINOPS] = product.calls
            return x

        return solve

    return {
        BY_SCIPY: scipy_cg,
        BY_CURVLINOPS: curvlinops_cg,
        BY_LINEAX: lambda: lineax_cg(F.U.operators, it.factor / it.n, lam, b, steps),
    }


def problem(dtype: str) -> tuple[Net, Any, float, np.ndarray, float]:
    """The net, F, λ, the right-hand side of norm 1, and the condition number of F + λ I."""
    it = Net("a", dtype, EXAMPLES, SPREAD)
    F = it.stored()
    largest = float(np.linalg.eigvalsh(F._gram().astype(np.float64))[-1]) * it.factor / it.n
    weights = np.random.default_rng(2).standard_normal(EXAMPLES).astype(KINDS[dtype])
    halves = F.U @ weights, vectors("a", dtype)
    b = sum(half / np.linalg.norm(half) for half in halves)
    return it, F, DAMPING * largest, b / np.linalg.norm(b), 1 + 1 / DAMPING


def solved(dtype: str) -> list[dict[str, object]]:
    """The rows of one dtype."""
    it, F, lam, b, condition = problem(dtype)
    exact = F.astype("float64").damped(lam)
    steps: dict[str, int] = {}

    def residual(call: peers.Call) -> float:
        return float(np.linalg.norm(b - exact @ peers.as_array(call()).astype(np.float64)))

    calls, _ = peers.entered(direct(it, F, lam, b))
    found = {name: residual(call) for name, call in calls.items()}
    taken = samples(calls, rounds=ROUNDS)
    slow, absent = peers.entered(iterative(it, F, lam, b, steps))
    for name, call in slow.items():
        time.sleep(PAUSE)
        start = time.perf_counter()
        x = call()
        taken[name] = [time.perf_counter() - start] * ROUNDS
        found[name] = residual(lambda x=x: x)
    facts: dict[str, object] = {"question": "fisher_solve", "net": "a", "dtype": dtype, "condition": condition}
    more = {name: {"residual": value, "products": steps.get(name)} for name, value in found.items()}
    table = [{**row, **more[str(row["who"])]} for row in rows(taken, **facts)]
    for row in table:
        if not cast(float, row["residual"]) <= WRONG:
            row.update({"ms": None, "by kronlin": None, "who": f"{row['who']} (no solution)"})
    return table + [{**row, "residual": None, "products": None} for row in absent_rows(absent, **facts)]


def main(chosen: list[str]) -> None:
    """Measure all, or the dtypes that were chosen."""
    dtypes = [name for name in KINDS if name in chosen] or list(KINDS)
    record("speed_fisher_solve", [row for dtype in dtypes for row in solved(dtype)])


if __name__ == "__main__":
    main(sys.argv[1:])
