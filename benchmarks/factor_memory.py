"""Question: how much memory and time do the factors of a 1024 × 1024 layer with 64 positions take.

Every estimator runs in a process of its own, on 512 examples. "peak GB" is the largest resident size of that process,
the interpreter, NumPy and the input arrays counted; "before GB" is what was resident when the inputs stood. "GEMM s" is
the time that the 2 n S (d_in² + K d_out²) floating-point operations of K-FAC's two second moments take at the speed of
a large matrix product, measured in the same process; the last column is in units of it. The mini-block Fisher is left
out: its blocks alone take 8.6 GB here in double precision.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from harness import report

import kronlin as kl

EXAMPLES, POSITIONS, COLUMNS, SIZE = 512, 64, 1, 1024
ESTIMATORS = {
    "K-FAC": kl.kfac,
    "K-FAC reduce": lambda layers: kl.kfac(layers, "reduce"),
    "EK-FAC": kl.ekfac,
    "TK-FAC": kl.tkfac,
    "KPSVD": kl.kpsvd,
    "diagonal": kl.diagonal_fisher,
    "exact, Gram matrix": lambda layers: kl.fisher(layers).prepare(),
    "exact, product": lambda layers: kl.fisher(layers) @ np.ones(SIZE**2, layers[0].dtype),
}


def peak() -> float:
    """The largest resident size of this process so far, in GB (10⁹ bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def gemm_rate(dtype: str) -> float:
    """Floating-point operations a second of a matrix product, the best of five."""
    x = np.ones((SIZE, SIZE), dtype)
    seconds = []
    for _ in range(6):
        start = time.perf_counter()
        x @ (x + 1)
        seconds.append(time.perf_counter() - start)
    return 2 * SIZE**3 / min(seconds[1:])


def measure(estimator: str, dtype: str) -> dict[str, object]:
    """Form one estimator once, in this process."""
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((EXAMPLES, POSITIONS, SIZE), dtype)
    gradients = rng.standard_normal((EXAMPLES, POSITIONS, COLUMNS, SIZE), dtype)
    before = peak()
    layers = [kl.LayerStatistics(inputs, gradients)]
    start = time.perf_counter()
    ESTIMATORS[estimator](layers)
    seconds = time.perf_counter() - start
    most = peak()
    bound = 2 * EXAMPLES * POSITIONS * SIZE**2 * (1 + COLUMNS) / gemm_rate(dtype)
    return {
        "estimator": estimator,
        "dtype": dtype,
        "inputs GB": (inputs.nbytes + gradients.nbytes) / 1e9,
        "before GB": before,
        "peak GB": most,
        "seconds": seconds,
        "GEMM s": bound,
        "seconds / GEMM s": seconds / bound,
    }


def in_a_process_of_its_own(estimator: str, dtype: str) -> dict[str, object]:
    """Measure in a fresh interpreter, whose peak nothing else has raised."""
    command = [sys.executable, str(Path(__file__)), estimator, dtype]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """One row an estimator and precision."""
    report(
        "factor_memory",
        [in_a_process_of_its_own(estimator, dtype) for dtype in ("float32", "float64") for estimator in ESTIMATORS],
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(*sys.argv[1:])))
    else:
        main()
