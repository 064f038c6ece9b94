"""KrylovResult: the solution with an account of how it was reached."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kronlin.arrays import Array

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class KrylovResult:
    """What an iterative solver returns; it unpacks and indexes as SciPy's pair `(x, info)`.

    The numbers are NumPy arrays on the host with one entry a column of b (one entry for b of shape (n,)).

    >>> import numpy as np, kronlin as kl
    >>> result = kl.krylov.cg(np.diag([1.0, 2.0]), np.array([1.0, 1.0]))
    >>> x, info = result
    >>> x, info
    (array([1. , 0.5]), 0)
    >>> result.status
    'converged: after 2 iterations the relative residual is 0.0e+00 (wanted 1.0e-05)'
    """

    x: Array
    """The solution, in the shape and kind of b; after a failure the last usable iterate, without NaN."""

    info: int
    """0 if every column converged, the number of iterations if not, negative after a breakdown: -1 the operator
    and -2 the preconditioner is not positive definite, -3 one of them returned a value that is not finite, -4 the
    Krylov space cannot grow and holds no solution (A is singular)."""

    converged: Numbers
    """Whether the recomputed residual ‖b - A x‖ of a column meets its tolerance, (k,)."""

    iterations: int
    """Steps taken, each with one product with A (and one with M) for all columns together."""

    column_iterations: Numbers
    """Steps after which each column was left alone, (k,)."""

    residuals: Numbers
    """Relative residual norms ‖r‖ / ‖b‖ as the recurrence saw them, (iterations + 1, k)."""

    true_residual: Numbers
    """Relative norms of b - A x, recomputed at the end, (k,)."""

    status: str
    """A sentence: converged, not converged and how far it came, or what broke down where."""

    ritz_values: Numbers | None = None
    """The smallest Ritz values of M A, ascending, (recycle,) or fewer after fewer steps; None if not asked for."""

    ritz_vectors: Array | None = None
    """Their Ritz vectors (n, recycle), in the kind of b: a coarse space for the next system with this A and M."""

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.info))

    def __getitem__(self, index: int) -> Any:
        return (self.x, self.info)[index]

    def __len__(self) -> int:
        return 2

    def __repr__(self) -> str:
        return f"KrylovResult({self.status})"
