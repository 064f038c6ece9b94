"""Question: what two-level set-up and application cost beside one product with A and one with M."""

from statistics import median

import numpy as np
from harness import ratio, report, sampled

import kronlin as kl

NETS = {
    "digits 64-32-32-10": [(32, 65), (32, 33), (10, 33)],
    "16 layers 30-30": [(30, 31)] * 16,
    "64 layers 10-10": [(10, 11)] * 64,
}


def layers(shapes: list[tuple[int, int]], n: int = 256, K: int = 10, seed: int = 0) -> list[kl.LayerStatistics]:
    """Gaussian statistics of layers (d_out, d_in)."""
    rng = np.random.default_rng(seed)
    return [
        kl.LayerStatistics(rng.standard_normal((n, d_in)), rng.standard_normal((n, K, d_out))) for d_out, d_in in shapes
    ]


def main() -> None:
    """One row a net and scheme."""
    rows = []
    for name, shapes in NETS.items():
        statistics = layers(shapes)
        A, K = kl.fisher(statistics).damped(0.1), kl.kfac(statistics)
        M, Z = K.damped(0.1).inverse(), kl.coarse.nicolaides(K)
        b = np.random.default_rng(1).standard_normal(A.shape[0])
        schemes = {scheme: kl.two_level(A, M, Z, scheme) for scheme in ("AD", "A-DEF2", "BNN")}
        functions = {"A": lambda A=A, b=b: A @ b, "M": lambda M=M, b=b: M @ b}
        functions |= {scheme: lambda B=B, b=b: B @ b for scheme, B in schemes.items()}
        functions["set-up"] = lambda A=A, M=M, Z=Z: kl.two_level(A, M, Z, "BNN")
        samples = sampled(functions, rounds=41)
        rows += [
            {
                "net": name,
                "scheme": scheme,
                "ms": 1e3 * median(samples[scheme]),
                "application / (A + M)": ratio(samples, scheme, "A", "M"),
                "set-up / A": ratio(samples, "set-up", "A"),
            }
            for scheme in schemes
        ]
    report("two_level_cost", rows)


if __name__ == "__main__":
    main()
