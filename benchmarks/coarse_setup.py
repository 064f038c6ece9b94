"""Question: what the coarse matrix E costs beside one product with F, for one column a layer and 4, 16, 64 layers."""

from statistics import median

import numpy as np
from harness import ratio, report, sampled
from two_level_cost import layers

import kronlin as kl

LAYERS = (4, 16, 64)


def main() -> None:
    """One row a number of layers, each 30-30 with a bias."""
    rows = []
    for L in LAYERS:
        statistics = layers([(30, 31)] * L)
        F = kl.fisher(statistics)
        A, Z = F.damped(0.1), kl.coarse.nicolaides(kl.kfac(statistics))
        b = np.random.default_rng(1).standard_normal(F.shape[0])
        functions = {"F": lambda F=F, b=b: F @ b, "E": lambda A=A, Z=Z: kl.twolevel.Galerkin(A, Z)}
        samples = sampled(functions, rounds=41)
        rows.append(
            {
                "layers": L,
                "parameters": F.shape[0],
                "F ms": 1e3 * median(samples["F"]),
                "E ms": 1e3 * median(samples["E"]),
                "E / F": ratio(samples, "E", "F"),
            }
        )
    report("coarse_setup", rows)


if __name__ == "__main__":
    main()
