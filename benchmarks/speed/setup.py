"""Getting the damped inverse of a block-diagonal Kronecker operator ready, exact and factored.

Exact damping takes an eigendecomposition of each factor, factored damping a Cholesky factorisation (and where an
inverse is wanted explicitly, as much again twice). Every call makes its operators anew. curvlinops works at the first
application: what is shown of it is the first less a further one.

Run `python -m speed.setup` in this folder's parent for all nets (a few minutes), or name nets and dtypes:
`python -m speed.setup a exact float32` measures these alone.
"""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np

import kronlin as kl
from kronlin.arrays import library_named
from speed import peers
from speed.contest import absent_rows, agree, rows, samples
from speed.record import record
from speed.workloads import KINDS, NETS, Pair, block_diagonal, factors, vectors

LAM = 1e-2
TOLERANCE = {"float32": 2e-3, "float64": 1e-10}
ROUNDS = {"a": 9, "b": 15, "c": 1}
LIMIT = "limit: LAPACK, in turn"
POOLED = "LAPACK, in threads"
FURTHER = "a further application"
STACKED = 100  # rows up to which equal matrices are handed to LAPACK's kernel together
Contest = dict[str, Callable[[], peers.Call]]


def promised(pairs: list[Pair]) -> kl.Operator:
    """kronlin's operator, its factors promised psd as those of `kl.kfac` are; CoLA wants that promise too."""
    return block_diagonal([(kl.assume(g, "psd"), kl.assume(a, "psd")) for g, a in pairs])


def lapack(pairs: list[Pair], routine: Callable[[np.ndarray], object], *, pooled: bool) -> peers.Call:
    """The LAPACK calls alone, one after the other or in threads."""
    matrices = [factor for pair in pairs for factor in pair]
    sizes = sorted({len(matrix) for matrix in matrices}, reverse=True)
    stacks = [np.stack([matrix for matrix in matrices if len(matrix) == size]) for size in sizes]
    pieces = [piece for stack in stacks for piece in (stack if stack.shape[-1] > STACKED else [stack])]
    calls = [partial(routine, piece) for piece in pieces]
    if pooled:
        costs = [float(piece.size * len(piece)) for piece in pieces]
        return lambda: library_named("numpy").concurrently(calls, costs)
    return lambda: [call() for call in calls]


def limits(pairs: list[Pair], routine: Callable[[np.ndarray], object]) -> Contest:
    """The machine: a routine of LAPACK."""
    return {
        LIMIT: lambda: lapack(pairs, routine, pooled=False),
        POOLED: lambda: lapack(pairs, routine, pooled=True),
    }


def curvlinops(pairs: list[Pair], x: np.ndarray, **damping: bool) -> Contest:
    """The first application of a new inverse, and a further one."""

    def build(new: bool) -> peers.Call:
        kfac, given = peers.curvlinops_kfac(pairs), peers.tensor(x)
        inverse = import_module("curvlinops").KFACInverseLinearOperator
        kept = inverse(kfac, LAM, **damping)
        return lambda: (inverse(kfac, LAM, **damping) if new else kept) @ given

    return {"curvlinops": lambda: build(True), FURTHER: lambda: build(False)}


def exact(pairs: list[Pair], x: np.ndarray) -> Contest:
    """Who takes part with exact damping."""

    def linear_operator() -> peers.Call:
        peers.linear_operator_blocks(pairs)
        return lambda: [product.diagonalization() for product in peers.linear_operator_blocks(pairs)]

    return {
        "kronlin": lambda: lambda: promised(pairs).damped(LAM).inverse(),
        **limits(pairs, library_named("numpy").eigh),
        **curvlinops(pairs, x, use_exact_damping=True),
        "linear_operator": linear_operator,
        "nngeometry": lambda: peers.nngeometry_kfac(pairs).compute_eigendecomposition,
    }


def factored(pairs: list[Pair], x: np.ndarray) -> Contest:
    """Who takes part with factored damping; CoLA and linear_operator are given damped factors."""

    def damped() -> list[Pair]:
        shares = [(np.trace(a) / len(a) / (np.trace(g) / len(g))) ** 0.5 for g, a in pairs]
        by_hand = [
            (peers.tensor(g).clone(), peers.tensor(a).clone(), LAM**0.5 / pi, LAM**0.5 * pi)
            for (g, a), pi in zip(pairs, shares, strict=True)
        ]
        for g, a, first, second in by_hand:
            g.diagonal().add_(first)
            a.diagonal().add_(second)
        return [(g.numpy(), a.numpy()) for g, a, _, _ in by_hand]

    def cola() -> peers.Call:
        package = import_module("cola")
        return lambda: package.linalg.Cholesky()(peers.cola_blocks(damped()))

    def linear_operator() -> peers.Call:
        peers.linear_operator_blocks(pairs)
        return lambda: [product.cholesky() for product in peers.linear_operator_blocks(damped())]

    return {
        "kronlin": lambda: lambda: kl.factored_damping(promised(pairs), LAM).prepare(),
        "kronlin, explicit inverse": lambda: lambda: kl.factored_damping(promised(pairs), LAM).inverse(),
        **limits(pairs, library_named("numpy").cholesky),
        "CoLA": cola,
        "linear_operator": linear_operator,
        **{f"{who}, explicit inverse": call for who, call in curvlinops(pairs, x, use_heuristic_damping=True).items()},
        "nngeometry, explicit inverse": lambda: partial(peers.nngeometry_kfac(pairs).inverse, LAM),
    }


def check(work: str, pairs: list[Pair], x: np.ndarray) -> None:
    """kronlin's solution must agree with that of curvlinops, where it is installed."""
    F, option = promised(pairs), "use_exact_damping" if work == "exact" else "use_heuristic_damping"
    inverse = (F.damped(LAM) if work == "exact" else kl.factored_damping(F, LAM)).inverse()
    other, _ = peers.entered({"curvlinops": curvlinops(pairs, x, **{option: True})["curvlinops"]})
    agree({"kronlin": lambda: inverse @ x, **other}, TOLERANCE[x.dtype.name])


def measure(work: str, net: str, dtype: str) -> list[dict[str, object]]:
    """The rows of one contest."""
    pairs, x = factors(net, dtype), vectors(net, dtype)
    check(work, pairs, x)
    contest = (exact if work == "exact" else factored)(pairs, x)
    if net == "c":
        contest = {who: build for who, build in contest.items() if who != POOLED and "nngeometry" not in who}
    calls, absent = peers.entered(contest)
    facts: dict[str, object] = {"question": "setup", "work": work, "net": net, "dtype": dtype}
    taken = samples(calls, rounds=ROUNDS[net])
    for further in [who for who in taken if FURTHER in who]:
        first = further.replace(FURTHER, "curvlinops")
        taken[first] = [one - other for one, other in zip(taken[first], taken.pop(further), strict=True)]
    absent = [who for who in absent if FURTHER not in who]
    return rows(taken, LIMIT, **facts) + absent_rows(absent, **facts)


def main(chosen: list[str]) -> None:
    """Measure all, or what was chosen; net c in single precision only, where a round takes half a minute."""
    nets = [net for net in NETS if net in chosen] or list(NETS)
    dtypes = [dtype for dtype in KINDS if dtype in chosen] or list(KINDS)
    works = [work for work in ("exact", "factored") if work in chosen] or ["exact", "factored"]
    table = [
        row
        for work in works
        for net in nets
        for dtype in dtypes
        if (net, dtype) != ("c", "float64")
        for row in measure(work, net, dtype)
    ]
    record("speed_setup", table)


if __name__ == "__main__":
    main(sys.argv[1:])
