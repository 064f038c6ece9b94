"""The time to solve with the damped exact Fisher matrix, first and again, beside iterations and hand-written NumPy.

`python -m speed.fisher_solve` takes a few minutes; `python -m speed.fisher_solve float32` measures that dtype alone.
F is the empirical Fisher matrix of 256 examples of net a in PyTorch whose gradients differ in size by up to 30, so that
its eigenvalues spread over three decades and more, and λ is 1e-3 of the largest: the condition number is 1e3. One
right-hand side is normal; one lies in the range of F, as a gradient does, where the two terms of the formula cancel.
The first solution starts from the stored rows, with nothing kept. Iterations stop at a residual of 1e-5, 1e-10 in
double precision, or after 200 steps; the residuals stated are ‖b - A x‖ / ‖b‖ in double precision.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import scipy.sparse.linalg
from harness import report

import kronlin as kl
from speed import peers
from speed.contest import absent_rows, rows, samples
from speed.nets import Net
from speed.workloads import KINDS, vectors

EXAMPLES, SPREAD, DAMPING, STEPS = 256, 30.0, 1e-3, 200
RTOL = {"float32": 1e-5, "float64": 1e-10}
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


def lineax_cg(roots: Roots, c: float, lam: float, b: np.ndarray) -> peers.Call:
    """CG of lineax, compiled, with a product written in JAX from the same rows."""
    jax, lineax = import_module("jax"), import_module("lineax")
    if b.dtype == np.float64:
        jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    pairs = [(jnp.asarray(root.output_gradients[:, 0, 0]), jnp.asarray(root.inputs[:, 0])) for root in roots]
    cuts = np.cumsum([g.shape[1] * a.shape[1] for g, a in pairs])[:-1]

    def product(pairs: Any, v: Any) -> Any:
        pieces = zip(pairs, jnp.split(v, cuts), strict=True)
        inner = sum(((a @ part.reshape(g.shape[1], a.shape[1]).T) * g).sum(axis=1) for (g, a), part in pieces)
        return c * jnp.concatenate([((g * inner[:, None]).T @ a).ravel() for g, a in pairs]) + lam * v

    @jax.jit
    def solve(pairs: Any, b: Any) -> Any:
        like, tag = jax.ShapeDtypeStruct(b.shape, b.dtype), lineax.positive_semidefinite_tag
        operator = lineax.FunctionLinearOperator(lambda v: product(pairs, v), like, tag)
        solver = lineax.CG(rtol=RTOL[b.dtype.name], atol=0.0, norm=jnp.linalg.norm, max_steps=STEPS)
        return lineax.linear_solve(operator, b, solver, throw=False).value

    side = jnp.asarray(b)
    return lambda: solve(pairs, side).block_until_ready()


def contestants(it: Net, F: Any, lam: float, b: np.ndarray) -> dict[str, peers.Builder]:
    """Who solves, and how each is built."""
    roots, c = F.U.operators, it.factor / it.n

    def fresh() -> Any:
        return c * kl.LowRank(kl.VStack([kl.FisherRoot(root.inputs, root.output_gradients) for root in roots]))

    kept, by_hand = F.damped(lam), ByHand(roots, c, lam)
    inverse = kept.inverse()

    def scipy_cg() -> peers.Call:
        operator = scipy.sparse.linalg.LinearOperator(kept.shape, matvec=kept.matvec, dtype=b.dtype)
        return lambda: scipy.sparse.linalg.cg(operator, b, rtol=RTOL[it.dtype], maxiter=STEPS)[0]

    def curvlinops_cg() -> peers.Call:
        curvlinops, torch = import_module("curvlinops"), import_module("torch")
        operator, order = it.curvlinops("EFLinearOperator"), it.layout
        parameters = [tuple(parameter.shape) for parameter in it.torch[0].parameters()]
        like = it.torch[2]
        identity = import_module("curvlinops.examples").IdentityLinearOperator(parameters, like.device, like.dtype)
        options = {"tolerance": RTOL[it.dtype], "max_iter": STEPS}
        solver = curvlinops.CGInverseLinearOperator(operator + lam * identity, **options)
        side = order.H @ torch.from_numpy(b)
        return lambda: order @ (solver @ side)

    return {
        "kronlin": lambda: lambda: fresh().damped(lam).solve(b),
        "kronlin, further": lambda: lambda: kept.solve(b),
        "kronlin, inverse applied": lambda: lambda: inverse @ b,
        "NumPy by hand": lambda: lambda: ByHand(roots, c, lam).solve(b),
        "NumPy by hand, further": lambda: lambda: by_hand.solve(b),
        "scipy's CG with kronlin's product": scipy_cg,
        "curvlinops' CG": curvlinops_cg,
        "lineax' CG, compiled": lambda: lineax_cg(roots, c, lam, b),
    }


def main(chosen: list[str]) -> None:
    """Measure all, or the dtypes that were chosen."""
    table = []
    for dtype in [name for name in KINDS if name in chosen] or list(KINDS):
        it = Net("a", dtype, EXAMPLES, SPREAD)
        F = it.stored()
        lam = DAMPING * float(np.linalg.eigvalsh(F._gram())[-1]) * it.factor / it.n
        exact = F.astype("float64").damped(lam)
        for side in ("normal", "in the range of F"):
            b = vectors("a", dtype)
            b = b if side == "normal" else F @ b
            b = b / np.linalg.norm(b)
            calls, absent = peers.entered(contestants(it, F, lam, b))
            found: dict[str, float] = {}

            def watched(name: str, call: peers.Call, b: np.ndarray = b, found: dict[str, float] = found) -> peers.Call:
                def solved() -> None:
                    found[name] = peers.as_array(call())

                return solved

            facts: dict[str, object] = {"question": "fisher_solve", "net": "a", "dtype": dtype, "b": side}
            taken = samples({name: watched(name, call) for name, call in calls.items()}, rounds=3)
            table += [
                {**row, "residual": float(np.linalg.norm(b - exact @ found[str(row["who"])].astype(np.float64)))}
                for row in rows(taken, **facts)
            ]
            table += [{**row, "residual": None} for row in absent_rows(absent, **facts)]
    report("speed_fisher_solve", table)


if __name__ == "__main__":
    main(sys.argv[1:])
