"""The time to ask for trace, determinant (its logarithm) and diagonal of damped matrices and of their inverses.

`python -m speed.scalars` takes some minutes; `python -m speed.scalars b float32` measures these nets and dtypes only.
Every operator is ready, with its decomposition or factorisation made by a call before; where a determinant is called
the first one, operators are made anew from the (damped) factors or rows at each call, except that of curvlinops, which
is ready and only factors anew. A peer stands where it has an exact call of its own for the number: none has one for
inverses, nor for the determinant of an exactly damped matrix, but linear_operator, which takes seconds to minutes for
that and is left out. For the Fisher matrix of 256 random examples linear_operator is given the formed root, 3 GB on
net a, so it stands at net b only. The diagonal of the inverse of the Fisher matrix, as many operations as forming U
by a 256 × 256 matrix, is measured on net b. An estimate is said to be stochastic: it takes 4 products, and is no exact
number.
"""

import copy
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

import kronlin as kl
from speed import peers
from speed.apply_inverse import LAM, damped_factors
from speed.contest import absent_rows, agree, rows, samples
from speed.record import record
from speed.setup import promised
from speed.workloads import KINDS, Pair, factors, layers

TOLERANCE = {"float32": 1e-3, "float64": 1e-9}
PRODUCTS, EXAMPLES, ROUNDS, BUDGET = 4, 256, 5, 0.03
NUMBERS = ("trace", "logdet", "diagonal")
Case = dict[str, dict[str, peers.Builder]]


def ready(operator: Any) -> Case:
    """kronlin's three numbers of a prepared operator."""

    def asked(number: str) -> peers.Builder:
        return lambda: getattr(operator, number)

    return {number: {"kronlin": asked(number)} for number in NUMBERS}


def cola(operator: Callable[[], Any]) -> dict[str, peers.Builder]:
    """CoLA's trace and diagonal of an operator."""

    def built(call: Callable[[Any, Any], Any]) -> peers.Builder:
        def build() -> peers.Call:
            linalg, it = import_module("cola").linalg, operator()
            return lambda: call(linalg, it)

        return build

    return {
        "trace": built(lambda linalg, it: linalg.trace(it)),
        "diagonal": built(lambda linalg, it: linalg.diag(it, 0)),
    }


def linear_operator(blocks: Callable[[], list[Any]], *, new: bool = False) -> dict[str, peers.Builder]:
    """linear_operator's diagonal and determinant, block after block; `new`: with blocks made by each call."""

    def logdet() -> peers.Call:
        kept = blocks()
        return lambda: sum(block.logdet() for block in (blocks() if new else kept))

    def diagonal() -> peers.Call:
        kept, torch = blocks(), import_module("torch")
        return lambda: torch.cat([block.diagonal() for block in kept])

    return {"logdet": logdet, "diagonal": diagonal}


def curvlinops(pairs: list[Pair], number: str) -> peers.Builder:
    """curvlinops' trace or determinant; it keeps the number, so that a copy is asked that has not been asked before."""

    def built() -> peers.Call:
        kfac = peers.curvlinops_kfac(pairs)
        return lambda: getattr(copy.copy(kfac), number)

    return built


def stochastic(pairs: list[Pair]) -> peers.Builder:
    """curvlinops' estimate of the diagonal of the exactly damped inverse, factored by a first call."""

    def built() -> peers.Call:
        package, kfac = import_module("curvlinops"), peers.curvlinops_kfac(pairs)
        inverse = package.KFACInverseLinearOperator(kfac, damping=LAM, use_exact_damping=True)
        return lambda: package.hutchinson_diag(inverse, PRODUCTS)

    return built


def exactly_damped(pairs: list[Pair]) -> dict[str, Case]:
    """G ⊗ A + λ I of each block, and the inverse."""
    operator = promised(pairs).damped(LAM)
    forward, backward = ready(operator), ready(operator.inverse())

    def shifted() -> Any:
        ops, blocks = import_module("cola").ops, peers.cola_blocks(pairs)
        return ops.Sum(blocks, ops.ScalarMul(LAM, blocks.shape, blocks.dtype, blocks.device))

    def blocks() -> list[Any]:
        shift = import_module("torch").tensor(LAM, dtype=peers.tensor(pairs[0][0]).dtype)
        return [block.add_diagonal(shift) for block in peers.linear_operator_blocks(pairs)]

    for number, build in cola(shifted).items():
        forward[number]["CoLA"] = build
    forward["diagonal"]["linear_operator"] = linear_operator(blocks)["diagonal"]
    backward["diagonal"]["curvlinops (stochastic)"] = stochastic(pairs)
    return {"K-FAC + λ I": forward, "(K-FAC + λ I)⁻¹": backward}


def damped_by_factors(pairs: list[Pair]) -> dict[str, Case]:
    """(G + √λ/π I) ⊗ (A + π√λ I) of each block, and the inverse; the peers are given the damped factors."""
    damped = damped_factors(pairs)
    operator = kl.factored_damping(promised(pairs), LAM).prepare()
    forward, backward = ready(operator), ready(operator.inverse())
    for number, build in cola(lambda: peers.cola_blocks(damped)).items():
        forward[number]["CoLA"] = build
    for number, build in linear_operator(lambda: peers.linear_operator_blocks(damped)).items():
        forward[number]["linear_operator"] = build
    forward["trace"]["curvlinops"] = curvlinops(damped, "trace")
    forward["trace"]["nngeometry"] = lambda: peers.nngeometry_kfac(damped).trace
    forward["diagonal"]["pykronecker"] = lambda: peers.pykronecker_blocks(damped).diag

    def cola_logdet() -> peers.Call:
        package = import_module("cola")

        def definite(matrix: np.ndarray) -> Any:
            return package.PSD(package.ops.Dense(peers.tensor(matrix)))

        def asked() -> Any:
            blocks = [package.ops.Kronecker(definite(g), definite(a)) for g, a in damped]
            return package.linalg.logdet(package.ops.BlockDiag(*blocks), package.linalg.Cholesky())

        return asked

    first: dict[str, peers.Builder] = {
        "kronlin": lambda: lambda: promised(damped).logdet(),
        "CoLA": cola_logdet,
        "curvlinops": curvlinops(damped, "logdet"),
        "linear_operator": linear_operator(lambda: peers.linear_operator_blocks(damped), new=True)["logdet"],
    }
    return {
        "K-FAC damped by factors": forward,
        "K-FAC damped by factors, first": {"logdet": first},
        "inverse of K-FAC damped by factors": backward,
    }


def exact_fisher(net: str, dtype: str) -> dict[str, Case]:
    """(1/n) U Uᴴ + λ I and its inverse."""
    statistics = layers(net, dtype, EXAMPLES)
    operator = kl.fisher(statistics).damped(LAM)
    forward, backward = ready(operator), ready(operator.inverse())
    first: dict[str, peers.Builder] = {"kronlin": lambda: lambda: kl.fisher(statistics).damped(LAM).logdet()}
    if net == "b":
        formed = kl.fisher(statistics).U.to_dense() / np.sqrt(KINDS[dtype](EXAMPLES))

        def updated() -> list[Any]:
            root = import_module("linear_operator.operators").LowRankRootLinearOperator(peers.tensor(formed))
            return [root.add_diagonal(import_module("torch").tensor(LAM, dtype=peers.tensor(formed).dtype))]

        for number, build in linear_operator(updated).items():
            forward[number]["linear_operator"] = build
        first["linear_operator"] = linear_operator(updated, new=True)["logdet"]
    else:
        del backward["diagonal"]
    return {"Fisher + λ I": forward, "Fisher + λ I, first": {"logdet": first}, "(Fisher + λ I)⁻¹": backward}


def measure(net: str, dtype: str) -> list[dict[str, object]]:
    """The rows of all contests of a net; exact contestants have to agree."""
    pairs, table = factors(net, dtype), []
    for cases in (exactly_damped(pairs), damped_by_factors(pairs), exact_fisher(net, dtype)):
        for work, numbers in cases.items():
            for number, builders in numbers.items():
                calls, absent = peers.entered(builders)
                agree({who: call for who, call in calls.items() if "stochastic" not in who}, TOLERANCE[dtype])
                facts: dict[str, object] = {"question": "scalars", "net": net, "dtype": dtype, "work": work}
                taken = samples(calls, rounds=ROUNDS, budget=BUDGET)
                table += rows(taken, **facts, scalar=number) + absent_rows(absent, **facts, scalar=number)
    return table


def main(chosen: list[str]) -> None:
    """Measure all, or the nets and dtypes that were chosen."""
    nets = [net for net in ("a", "b") if net in chosen] or ["a", "b"]
    dtypes = [dtype for dtype in KINDS if dtype in chosen] or list(KINDS)
    record("speed_scalars", [row for net in nets for dtype in dtypes for row in measure(net, dtype)])


if __name__ == "__main__":
    main(sys.argv[1:])
