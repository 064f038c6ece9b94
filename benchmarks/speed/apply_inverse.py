"""The time to apply the inverse of a damped Kronecker operator, once it is factored: damped exactly, and by factors.

`python -m speed.apply_inverse` takes a few minutes; `python -m speed.apply_inverse b float64` measures these nets and
dtypes only. The decompositions are not timed (that is another question).
"""

import sys
from functools import cache
from typing import Any

import numpy as np

import kronlin as kl
from speed import by_hand, peers
from speed.contest import chosen_cases, contest
from speed.limits import kronecker_operations
from speed.record import record
from speed.workloads import KINDS, Pair, block_diagonal, factors, vectors

LAM = 0.1
TOLERANCE = {"float32": 1e-3, "float64": 1e-6}  # nngeometry's damping is rounded to float32 in float64 too


@cache
def decomposed(width: int, data: bytes, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors, once for factors that are equal: layers of one width have the same ones here."""
    w, q = np.linalg.eigh(np.frombuffer(data, dtype=KINDS[dtype]).reshape(width, width).astype(np.float64))
    return w, np.ascontiguousarray(q.astype(KINDS[dtype]))


def eigenbases(pairs: list[Pair]) -> list[by_hand.Block]:
    """(Q_G, Q_A, w) of each damped block's inverse."""
    blocks = []
    for g, a in pairs:
        (v, q), (w, r) = (decomposed(len(x), x.tobytes(), x.dtype.name) for x in (g, a))
        blocks.append((q, r, (1 / (np.outer(v, w) + LAM)).ravel().astype(g.dtype)))
    return blocks


def damped_factors(pairs: list[Pair]) -> list[Pair]:
    """G + √λ/π I and A + π √λ I with π² = (tr A / n) / (tr G / m)."""
    damped = []
    for g, a in pairs:
        pi, root = float(np.sqrt(np.trace(a) / len(a) / (np.trace(g) / len(g)))), LAM**0.5
        damped.append(
            (
                g + g.dtype.type(root / pi) * np.eye(len(g), dtype=g.dtype),
                a + a.dtype.type(root * pi) * np.eye(len(a), dtype=a.dtype),
            )
        )
    return damped


def curvlinops(pairs: list[Pair], x: np.ndarray, **damping: bool) -> peers.Builder:
    """Its inverse, factored by a first call and then kept."""

    def built() -> peers.Call:
        kfac = peers.curvlinops_kfac(pairs)
        inverse = peers.import_module("curvlinops").KFACInverseLinearOperator(kfac, damping=LAM, **damping)
        given = peers.tensor(x)
        return lambda: inverse @ given

    return built


def exact(net: str, pairs: list[Pair], x: np.ndarray) -> dict[str, peers.Builder]:
    """(G ⊗ A + λ I)⁻¹ of each block, in the eigenbasis of the factors."""

    def kronlin() -> peers.Call:
        if net == "c":  # its decompositions take minutes: they are made once a width
            operator = kl.BlockDiagonal([kl.Spectral(kl.Kronecker(q, r), w) for q, r, w in eigenbases(pairs)])
        else:
            operator = block_diagonal(pairs).damped(LAM).inverse()
        return lambda: operator @ x

    def written(build: Any) -> peers.Builder:
        def built() -> peers.Call:
            apply = build(eigenbases(pairs))
            return lambda: apply(x)

        return built

    def linear_operator() -> peers.Call:
        shift = peers.import_module("torch").tensor(LAM, dtype=peers.tensor(x).dtype)
        solves = [operator.add_diagonal(shift).solve for operator in peers.linear_operator_blocks(pairs)]
        columns = peers.tensor(x.reshape(len(x), -1))
        sizes = [len(g) * len(a) for g, a in pairs]
        return lambda: peers.one_after_the_other(solves, columns, sizes).reshape(x.shape)

    everyone = {"kronlin": kronlin, "NumPy, a loop": written(by_hand.loop)}
    if net == "b":
        everyone["NumPy, stacked by hand"] = written(by_hand.stacked)
    if net != "c":
        everyone["curvlinops"] = curvlinops(pairs, x, use_exact_damping=True)
        everyone["linear_operator (decomposes again)"] = linear_operator
    return everyone


def factored(net: str, pairs: list[Pair], x: np.ndarray) -> dict[str, peers.Builder]:
    """((G + √λ/π I) ⊗ (A + π√λ I))⁻¹ of each block: kronlin, and by hand, multiply with inverses of the factors."""

    def kronlin() -> peers.Call:
        operator = kl.factored_damping(block_diagonal(pairs), LAM).inverse()
        return lambda: operator @ x

    def written(build: Any) -> peers.Builder:
        def built() -> peers.Call:
            inverses = [
                tuple(np.linalg.inv(x.astype(np.float64)).astype(x.dtype) for x in pair)
                for pair in damped_factors(pairs)
            ]
            apply = build(inverses)
            return lambda: apply(x)

        return built

    def cola() -> peers.Call:
        package = peers.import_module("cola")

        def definite(matrix: np.ndarray) -> Any:
            return package.PSD(package.ops.Dense(peers.tensor(matrix)))

        blocks = [package.ops.Kronecker(definite(g), definite(a)) for g, a in damped_factors(pairs)]
        inverse = package.linalg.inv(package.ops.BlockDiag(*blocks), package.linalg.Cholesky())
        given = peers.tensor(x)
        return lambda: inverse @ given

    def nngeometry() -> peers.Call:
        inverse = peers.nngeometry_kfac(pairs).inverse(regul=LAM)
        given = peers.nngeometry_vector(inverse, x)
        return lambda: inverse.mv(given)

    everyone = {"kronlin": kronlin, "NumPy, a loop": written(by_hand.loop)}
    if net == "b":
        everyone["NumPy, stacked by hand"] = written(by_hand.stacked)
    if net != "c":
        everyone["curvlinops"] = curvlinops(pairs, x, use_heuristic_damping=True)
        everyone["CoLA (triangular solves)"] = cola
        if x.ndim == 1:  # it multiplies with one vector only
            everyone["nngeometry"] = nngeometry
    return everyone


def main(chosen: list[str]) -> None:
    """Measure all, or what was chosen."""
    table = []
    for net, dtype, count in chosen_cases(chosen):
        pairs, x = factors(net, dtype), vectors(net, dtype, count)
        for damping, enter, products in (("exact", exact, 2), ("factored", factored, 1)):
            facts: dict[str, object] = {"question": "apply the inverse", "net": net, "dtype": dtype, "vectors": count}
            work = products * kronecker_operations(net, count)
            table += contest(enter(net, pairs, x), work, TOLERANCE[dtype], **facts, damping=damping)
    record("speed_apply_inverse", table)


if __name__ == "__main__":
    main(sys.argv[1:])
