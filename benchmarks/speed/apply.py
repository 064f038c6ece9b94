"""The time to apply a block-diagonal Kronecker operator, to 1 vector and to 16, beside peers and the machine's limit.

`python -m speed.apply` takes a few minutes; `python -m speed.apply b float32` measures these nets and dtypes only.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from speed import by_hand, peers
from speed.contest import chosen_cases, contest
from speed.limits import kronecker_operations
from speed.record import record
from speed.workloads import Pair, block_diagonal, factors, vectors

TOLERANCE = {"float32": 1e-4, "float64": 1e-11}


def contestants(net: str, pairs: list[Pair], x: np.ndarray) -> dict[str, peers.Builder]:
    """Who takes part, and how each is built."""

    def applied(build: Callable[[list[Pair]], Any], convert: Callable[[np.ndarray], Any]) -> peers.Builder:
        def built() -> peers.Call:
            operator, given = build(pairs), convert(x)
            return lambda: operator @ given

        return built

    def written(build: Callable[[list[by_hand.Block]], by_hand.Apply]) -> peers.Builder:
        def built() -> peers.Call:
            apply = build(pairs)
            return lambda: apply(x)

        return built

    def linear_operator() -> peers.Call:
        products = [operator.matmul for operator in peers.linear_operator_blocks(pairs)]
        given, sizes = peers.tensor(x), [len(g) * len(a) for g, a in pairs]
        return lambda: peers.one_after_the_other(products, given, sizes)

    def nngeometry() -> peers.Call:
        operator = peers.nngeometry_kfac(pairs)
        given = peers.nngeometry_vector(operator, x)
        return lambda: operator.mv(given)

    everyone = {
        "kronlin": applied(block_diagonal, np.asarray),
        "NumPy, a loop": written(by_hand.loop),
        "curvlinops": applied(peers.curvlinops_kfac, peers.tensor),
        "CoLA": applied(peers.cola_blocks, peers.tensor),
    }
    if net == "b":
        everyone["NumPy, stacked by hand"] = written(by_hand.stacked)
    if net != "c":  # there all who multiply matrices take the same seconds
        everyone["PyLops"] = applied(peers.pylops_blocks, np.asarray)
        everyone["linear_operator"] = linear_operator
        everyone["pykronecker"] = applied(peers.pykronecker_blocks, np.asarray)
        if x.ndim == 1:  # it multiplies with one vector only
            everyone["nngeometry"] = nngeometry
    return everyone


def main(chosen: list[str]) -> None:
    """Measure all, or what was chosen."""
    table = []
    for net, dtype, count in chosen_cases(chosen):
        x = vectors(net, dtype, count)
        facts: dict[str, object] = {"question": "apply", "net": net, "dtype": dtype, "vectors": count}
        everyone = contestants(net, factors(net, dtype), x)
        table += contest(everyone, kronecker_operations(net, count), TOLERANCE[dtype], **facts)
    record("speed_apply", table)


if __name__ == "__main__":
    main(sys.argv[1:])
