"""What the machine can do at best, measured in the same run: multiply matrices, and copy memory."""

from collections.abc import Callable
from statistics import median

import numpy as np

from speed.workloads import KINDS, NETS

SIDE = 1024
COPIED = 64 * 2**20


def gemm(dtype: str) -> tuple[Callable[[], object], float]:
    """A square matrix product, and its number of operations (a multiplication and an addition are two)."""
    random = np.random.default_rng(0)
    a = random.standard_normal((SIDE, SIDE), dtype=KINDS[dtype])
    b = random.standard_normal((SIDE, SIDE), dtype=KINDS[dtype])
    return lambda: a @ b, 2.0 * SIDE**3


def copy() -> tuple[Callable[[], object], float]:
    """A copy of memory, and its bytes, read and written."""
    source = np.ones(COPIED // 8)
    target = np.empty_like(source)
    return lambda: np.copyto(target, source), 2.0 * COPIED


def kronecker_operations(net: str, count: int = 1) -> float:
    """Operations of one application of the Kronecker blocks of a net to `count` vectors: 2 m n (m + n) each."""
    return float(sum(2 * m * n * (m + n) * count for m, n in NETS[net]))


def fisher_operations(net: str, examples: int, count: int = 1) -> float:
    """Operations of a product with the Fisher matrix of a batch from stored rows: 2 N m n for Uᴴ x, as many for U y."""
    return float(sum(4 * examples * m * n * count for m, n in NETS[net]))


def times_limit(samples: dict[str, list[float]], who: str, limit: str, scale: float) -> float:
    """The median over the rounds of a contestant's time by `scale` times the limit's time in the same round."""
    return median(own / (scale * bound) for own, bound in zip(samples[who], samples[limit], strict=True))
