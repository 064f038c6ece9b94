"""The time to apply a block-diagonal Kronecker operator, to 1 vector and to 16, beside peers and the machine's limit.

`python -m speed.apply` takes a few minutes; `python -m speed.apply b float32` measures these nets and dtypes only.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import report

from speed import peers
from speed.contest import absent_rows, agree, rows, samples
from speed.limits import gemm, kronecker_operations
from speed.workloads import KINDS, NETS, Pair, block_diagonal, factors, vectors

COUNTS = (1, 16)
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
Contest = dict[str, Callable[[], peers.Call]]


def loop(pairs: list[Pair], x: np.ndarray) -> np.ndarray:
    """Written by hand for 1 vector or several: block after block, two products each, into one result."""
    y, start = np.empty_like(x), 0
    for g, a in pairs:
        stop = start + len(g) * len(a)
        if x.ndim == 1:
            np.matmul(g @ x[start:stop].reshape(len(g), len(a)), a.T, out=y[start:stop].reshape(len(g), len(a)))
        else:
            block = np.moveaxis(x[start:stop].reshape(len(g), len(a), -1), 2, 0)
            products = np.matmul(np.matmul(g, np.ascontiguousarray(block)), a.T)
            y[start:stop] = np.moveaxis(products, 0, 2).reshape(stop - start, -1)
        start = stop
    return y


def stacked(pairs: list[Pair]) -> Callable[[np.ndarray], np.ndarray]:
    """Written by hand for a net whose layers after the first are equal: two stacks, and a slice for each."""
    (first_g, first_a), rest = pairs[0], pairs[1:]
    g, a = np.stack([g for g, _ in rest]), np.stack([a for _, a in rest]).swapaxes(1, 2)
    head, (count, m), n = len(first_g) * len(first_a), g.shape[:2], a.shape[1]

    def apply(x: np.ndarray) -> np.ndarray:
        y = np.empty_like(x)
        if x.ndim == 1:
            block = x[:head].reshape(len(first_g), len(first_a))
            np.matmul(first_g @ block, first_a.T, out=y[:head].reshape(block.shape))
            pieces = x[head:].reshape(count, m, n)
            np.matmul(g @ pieces, a, out=y[head:].reshape(pieces.shape))
            return y
        many = x.shape[1]
        block = np.ascontiguousarray(x[:head].T).reshape(many, len(first_g), len(first_a))
        y[:head] = np.matmul(np.matmul(first_g, block), first_a.T).reshape(many, -1).T
        pieces = np.ascontiguousarray(x[head:].T).reshape(many, count, m, n)
        y[head:] = np.matmul(np.matmul(g, pieces), a).reshape(many, -1).T
        return y

    return apply


def contest(net: str, pairs: list[Pair], x: np.ndarray) -> Contest:
    """Who takes part, and how each is built."""
    sizes = [len(g) * len(a) for g, a in pairs]

    def kronlin() -> peers.Call:
        operator = block_diagonal(pairs)
        return lambda: operator @ x

    def by_hand() -> peers.Call:
        apply = stacked(pairs)
        return lambda: apply(x)

    def product(build: Callable[[list[Pair]], Any], convert: Callable[[np.ndarray], Any]) -> Callable[[], peers.Call]:
        def built() -> peers.Call:
            operator, given = build(pairs), convert(x)
            return lambda: operator @ given

        return built

    def linear_operator() -> peers.Call:
        products = [operator.matmul for operator in peers.linear_operator_blocks(pairs)]
        given = peers.tensor(x)
        return lambda: peers.one_after_the_other(products, given, sizes)

    def nngeometry() -> peers.Call:
        operator = peers.nngeometry_kfac(pairs)
        given = peers.nngeometry_vector(operator, x)
        return lambda: operator.mv(given)

    everyone: Contest = {
        "kronlin": kronlin,
        "NumPy, a loop": lambda: lambda: loop(pairs, x),
        "curvlinops": product(peers.curvlinops_kfac, peers.tensor),
        "CoLA": product(peers.cola_blocks, peers.tensor),
    }
    if net == "b":
        everyone["NumPy, stacked by hand"] = by_hand
    if net != "c":  # there all who multiply matrices take seconds, and the same time
        everyone["PyLops"] = product(peers.pylops_blocks, lambda x: x)
        everyone["linear_operator"] = linear_operator
        everyone["pykronecker"] = product(peers.pykronecker_blocks, lambda x: x)
        if x.ndim == 1:  # it multiplies with one vector only
            everyone["nngeometry"] = nngeometry
    return everyone


def measure(net: str, dtype: str, count: int) -> list[dict[str, object]]:
    """The rows of one contest."""
    x = vectors(net, dtype, count)
    calls, absent = peers.entered(contest(net, factors(net, dtype), x))
    agree(calls, TOLERANCE[dtype])
    product, operations = gemm(dtype)
    calls["limit: matrix products"] = product
    facts: dict[str, object] = {"question": "apply", "net": net, "dtype": dtype, "vectors": count}
    taken = samples(calls, rounds={"a": 7, "b": 15, "c": 2}[net])
    scale = kronecker_operations(net, count) / operations
    return rows(taken, "limit: matrix products", scale, **facts) + absent_rows(absent, **facts)


def main(chosen: list[str]) -> None:
    """Measure all, or what was chosen."""
    nets = [net for net in NETS if net in chosen] or list(NETS)
    dtypes = [dtype for dtype in KINDS if dtype in chosen] or list(KINDS)
    table = [
        row
        for net in nets
        for dtype in dtypes
        for count in COUNTS
        if (net, count) != ("c", 16)  # 1.8 or 3.6 GB an array, and a minute a round
        for row in measure(net, dtype, count)
    ]
    report("speed_apply", table)


if __name__ == "__main__":
    main(sys.argv[1:])
