"""How the time of an application grows with the number of layers, and with their width.

Layers: 8 to 512 equal ones, time per parameter. Widths: one block G ⊗ A of two factors of size 128 to 2048, by the
time that a large matrix product takes for as many operations. `python -m speed.growth` takes about two minutes.
"""

from typing import Any

import numpy as np
from harness import report

import kronlin as kl
from speed.contest import rows, samples
from speed.limits import gemm
from speed.workloads import KINDS

LAYERS = (8, 16, 32, 64, 128, 256, 512)
SIDES = {"10 × 11": (10, 11), "64 × 65": (64, 65)}
WIDTHS = (128, 256, 512, 1024, 2048)
COUNTS = (1, 16)
LIMIT = "limit: matrix products"


def operator(dtype: str, shapes: list[tuple[int, int]]) -> kl.Operator:
    """Kronecker blocks of normal entries."""
    random = np.random.default_rng(0)

    def square(n: int) -> np.ndarray:
        return random.standard_normal((n, n), dtype=KINDS[dtype])

    return kl.BlockDiagonal([kl.Kronecker(square(m), square(n)) for m, n in shapes])


def measured(dtype: str, count: int, cases: dict[str, list[tuple[int, int]]], **facts: object) -> list[dict[str, Any]]:
    """A row for each case, all timed in turn: the time by the limit's for its own operations, and per parameter."""
    calls, operations, sizes = {}, {}, {}
    for name, shapes in cases.items():
        K = operator(dtype, shapes)
        x = np.random.default_rng(1).standard_normal((K.shape[1], count), dtype=KINDS[dtype])
        x = x[:, 0] if count == 1 else x
        calls[name] = lambda K=K, x=x: K @ x
        operations[name] = sum(2.0 * m * n * (m + n) * count for m, n in shapes)
        sizes[name] = K.shape[1]
    calls[LIMIT], one = gemm(dtype)
    taken = samples(calls, rounds=7)
    table = []
    for name in cases:
        pair = {"kronlin": taken[name], LIMIT: taken[LIMIT]}
        row = rows(pair, LIMIT, operations[name] / one, **facts, dtype=dtype, vectors=count)[0]
        table.append({**row, "parameters": sizes[name], "ns per parameter": 1e6 * row["ms"] / sizes[name]})
    return table


def layer_rows(dtype: str, count: int) -> list[dict[str, Any]]:
    """Equal layers, more and more of them."""
    table = []
    for sides, pair in SIDES.items():
        found = measured(dtype, count, {str(many): [pair] * many for many in LAYERS}, question="layers", net=sides)
        fewest = found[0]["ns per parameter"]
        for many, row in zip(LAYERS, found, strict=True):
            table.append({**row, "x": many, "by the fewest": row["ns per parameter"] / fewest})
    return table


def width_rows(dtype: str, count: int) -> list[dict[str, Any]]:
    """One block, wider and wider."""
    cases = {str(n): [(n, n)] for n in WIDTHS}
    found = measured(dtype, count, cases, question="widths", net="one block")
    return [{**row, "x": n, "by the fewest": None} for n, row in zip(WIDTHS, found, strict=True)]


def main() -> None:
    """Measure all."""
    table = []
    for dtype in KINDS:
        for count in COUNTS:
            table += layer_rows(dtype, count) + width_rows(dtype, count)
    report("speed_growth", table)


if __name__ == "__main__":
    main()
