"""The nets of the speed questions, as the shapes of their layers, and random data of these shapes."""

from functools import cache

import numpy as np

import kronlin as kl

Pair = tuple[np.ndarray, np.ndarray]

WIDTHS = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
WIDTH, BLOCKS = 768, 4
NETS = {
    # (outputs, inputs with one for the bias) of each layer
    "a": [(m, n + 1) for n, m in zip(WIDTHS[:-1], WIDTHS[1:], strict=True)],
    "b": [(10, 785), *[(10, 11)] * 63],
    "c": [(3 * WIDTH, WIDTH + 1), (WIDTH, WIDTH + 1), (4 * WIDTH, WIDTH + 1), (WIDTH, 4 * WIDTH + 1)] * BLOCKS,
}
NAMES = {
    "a": "MNIST autoencoder 784-1000-500-250-30-250-500-1000-784",
    "b": "deep linear net, 784 → 10 and 63 layers 10 → 10",
    "c": "four transformer blocks of width 768",
}
KINDS = {"float32": np.float32, "float64": np.float64}


def size(net: str) -> int:
    """The number of parameters."""
    return sum(m * n for m, n in NETS[net])


def factors(net: str, dtype: str, seed: int = 0) -> list[Pair]:
    """A pair (G, A) a layer: second moments of twice as many normal samples as entries, so well conditioned."""
    random = np.random.default_rng(seed)

    @cache
    def moment(width: int) -> np.ndarray:
        rows = random.standard_normal((2 * width, width), dtype=np.float32)
        return (rows.T @ rows / len(rows)).astype(KINDS[dtype])

    return [(moment(m).copy(), moment(n).copy()) for m, n in NETS[net]]


def block_diagonal(pairs: list[Pair]) -> kl.Operator:
    """kronlin's operator of these factors, new at each call, so that nothing is kept from an earlier one."""
    return kl.BlockDiagonal([kl.Kronecker(g, a) for g, a in pairs])


def layers(net: str, dtype: str, n: int = 256, seed: int = 0) -> list[kl.LayerStatistics]:
    """Inputs and gradients of n examples a layer, normal and scaled such that a row has about unit norm."""
    random = np.random.default_rng(seed)

    def rows(width: int) -> np.ndarray:
        return (random.standard_normal((n, width)) / np.sqrt(width)).astype(KINDS[dtype])

    return [kl.LayerStatistics(rows(inputs), rows(outputs)) for outputs, inputs in NETS[net]]


def vectors(net: str, dtype: str, count: int = 1, seed: int = 1) -> np.ndarray:
    """A vector (p,), or `count` of them (p, count)."""
    random = np.random.default_rng(seed)
    shape = (size(net),) if count == 1 else (size(net), count)
    return random.standard_normal(shape, dtype=KINDS[dtype])
