"""One operator of every structure."""

import numpy as np

from kronlin.algebra import Identity, Zero, assume
from kronlin.arrays import kind
from kronlin.operators import (
    BlockDiagonal,
    Dense,
    Diagonal,
    KhatriRao,
    Kronecker,
    KroneckerSum,
    LowRank,
    Spectral,
    VStack,
)
from tests.algebra.bare import Bare
from tests.libraries import NUMPY
from tests.matrices import normal, positive


def examples(lib=NUMPY, dtype="float64"):
    """One operator of every structure, all square and positive definite but the last three."""
    a, b = (lib.asarray(positive(n, dtype)) for n in (2, 3))
    left, right = lib.asarray(normal((2, 2), dtype)), lib.asarray(normal((3, 2), dtype))
    w = lib.asarray(np.array([1.0, 2.0]), kind(a).real.dtype_name)
    core = assume(Bare(b), "pd")
    return {
        "Bare": core,
        "Dense": Dense(b),
        "Diagonal": Diagonal(lib.asarray(np.arange(1.0, 4.0), dtype)),
        "Kronecker": Kronecker(a, b),
        "KroneckerSum": KroneckerSum(a, b),
        "Spectral": Spectral(lib.asarray(np.eye(3)[:, :2], dtype), w, rest=0.5),
        "damped LowRank": LowRank(right).damped(2.0),
        "BlockDiagonal": BlockDiagonal([a, b, a]),
        "Identity": Identity(3, like=b),
        "Scaled": 2.0 * core,
        "Sum": core + Bare(b),
        "Product": core @ Dense(b) @ core,
        "Power": core.power(2),
        "KhatriRao": KhatriRao(left, right),
        "VStack": VStack([KhatriRao(left, right), right]),
        "Zero": Zero((2, 3), like=b),
    }


NAMES = list(examples())
SQUARE = NAMES[:-3]
