"""The time to multiply with the exact Fisher matrix of a batch from stored rows, beside NumPy by hand and autodiff.

`python -m speed.fisher_product` takes a few minutes; `python -m speed.fisher_product a float32 1` measures that alone.
On nets a and b the matrix is the empirical Fisher of a net of PyTorch, which autodiff multiplies with too; products
with the generalised Gauss-Newton matrix of the same net (another matrix, K = all outputs) stand beside it. On net c
the rows are random.
"""

import sys

import numpy as np

import kronlin as kl
from speed import peers
from speed.contest import absent_rows, agree, chosen_cases, rows, samples
from speed.limits import fisher_operations, gemm
from speed.nets import Net
from speed.record import record
from speed.workloads import layers, vectors

EXAMPLES = {"a": 256, "b": 256, "c": 64}
ROUNDS = {("a", 1): 7, ("a", 16): 3, ("b", 1): 15, ("b", 16): 7, ("c", 1): 5}
TOLERANCE = {"float32": 1e-3, "float64": 1e-10}
LIMIT = "limit: matrix products"


def by_hand(F: kl.LowRank, x: np.ndarray) -> peers.Call:
    """Two matrix products a layer each way, one vector after the other, as one would write it."""
    roots, n = F.U.operators, F.U.operators[0].n
    arrays = [(root.output_gradients[:, 0, 0], root.inputs[:, 0]) for root in roots]
    scale = float(F.trace()) / sum(float(((g**2).sum(1) * (a**2).sum(1)).sum()) for g, a in arrays) if n else 1.0
    cuts = np.cumsum([g.shape[1] * a.shape[1] for g, a in arrays])[:-1]

    def one(v: np.ndarray) -> np.ndarray:
        pieces = zip(arrays, np.split(v, cuts), strict=True)
        inner = sum(((a @ part.reshape(g.shape[1], a.shape[1]).T) * g).sum(axis=1) for (g, a), part in pieces)
        inner = (v.dtype.type(scale) * inner)[:, None]
        return np.concatenate([((g * inner).T @ a).ravel() for g, a in arrays])

    return lambda: one(x) if x.ndim == 1 else np.stack([one(v) for v in x.T], axis=1)


def contestants(net: str, dtype: str, x: np.ndarray) -> tuple[dict[str, peers.Builder], dict[str, peers.Builder], Net]:
    """Who multiplies with the empirical Fisher, and who with another matrix."""
    it = Net(net, dtype, EXAMPLES[net])
    if net == "c":
        F = kl.fisher(layers(net, dtype, it.n))
        return {"kronlin": lambda: lambda: F @ x, "NumPy by hand": lambda: by_hand(F, x)}, {}, it
    F = it.stored()

    def capturing() -> peers.Call:
        given = peers.tensor(x)
        return lambda: it.collected() @ given

    def curvlinops(kind: str) -> peers.Builder:
        def built() -> peers.Call:
            operator, given = it.curvlinops(kind), it.layout.H @ peers.tensor(x)
            return lambda: operator @ given

        return built

    return (
        {
            "kronlin": lambda: lambda: F @ x,
            "kronlin, capture by PyTorch included": capturing,
            "NumPy by hand": lambda: by_hand(F, x),
            "JAX, compiled": lambda: it.jax("empirical", x),
            "curvlinops, empirical Fisher": curvlinops("EFLinearOperator"),
        },
        {
            "JAX, compiled, Gauss-Newton": lambda: it.jax("GGN", x),
            "curvlinops": curvlinops("GGNLinearOperator"),
        },
        it,
    )


def alike(calls: dict[str, peers.Call], it: Net, dtype: str) -> None:
    """Make sure that those who compute one thing agree, in kronlin's order of the parameters."""
    ordered = {
        name: (lambda call=call: it.layout @ call()) if name.startswith("curvlinops") else call
        for name, call in calls.items()
    }
    first = next(iter(ordered))
    agree({"kronlin": ordered.pop(first), **ordered}, TOLERANCE[dtype])


def main(chosen: list[str]) -> None:
    """Measure all, or what was chosen."""
    table = []
    for net, dtype, count in chosen_cases(chosen):
        x = vectors(net, dtype, count)
        facts: dict[str, object] = {"question": "fisher_product", "net": net, "dtype": dtype, "vectors": count}
        same, other, it = contestants(net, dtype, x)
        calls, absent = peers.entered(same)
        alike(calls, it, dtype)
        if count == 1:
            others, missing = peers.entered(other)
            alike(others, it, dtype)
            calls, absent = calls | others, absent + missing
        calls[LIMIT], one = gemm(dtype)
        taken = samples(calls, rounds=ROUNDS[net, count])
        facts["examples"] = EXAMPLES[net]
        table += rows(taken, LIMIT, fisher_operations(net, EXAMPLES[net], count) / one, **facts)
        table += absent_rows(absent, **facts)
    record("speed_fisher_product", table)


if __name__ == "__main__":
    main(sys.argv[1:])
