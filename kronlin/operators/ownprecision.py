"""Eigendecompositions in the precision of their data, for a shift that keeps the spectrum away from zero.

An eigendecomposition in single precision is that of a matrix a few eps ‖A‖ away, as the data themselves are, and takes half
the time of one in double precision. It serves A + c I as long as half of the digits of its smallest eigenvalue are right,
which is where single precision ends for inverses and solutions too.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from kronlin.algebra import Operator
from kronlin.arrays import Array, eigh_own
from kronlin.operators.dense import Dense
from kronlin.operators.spectral import Spectral, decomposed


def own_eigh(a: Operator) -> Any:
    """The eigendecomposition of an array in its own precision, kept; of other operators `A.eigh()`, which may be exact."""
    found = a._kept("eigh")
    if found is not None or not isinstance(a, Dense):
        return a.eigh() if found is None else found
    return a._once("own eigh", lambda: decomposed(a, eigh_own))


def serves(parts: Sequence[Spectral], c: float) -> bool:
    """Whether all eigenvalues of A₁ ⊗ A₂ ⊗ … + c I are above √eps times the largest, each of a stack."""
    first = parts[0]
    xp, corners = first.kind.xp, [_ends(part) for part in parts]
    products = reduce(lambda left, right: [x * y for x in left for y in right], corners)
    ends = xp.stack([product + c for product in products])
    low, high = xp.min(ends, axis=0), xp.max(xp.abs(ends), axis=0)
    return bool(xp.all(low > first.kind.eps**0.5 * high))


def _ends(part: Spectral) -> list[Array]:
    """The smallest and the largest eigenvalue."""
    xp = part.kind.xp
    return [xp.min(part.w, axis=-1), xp.max(part.w, axis=-1)]
