"""SparseLU: the factors of a sparse matrix on the host, by SciPy's SuperLU."""

from importlib import import_module
from typing import Any

import numpy as np

from kronlin.arrays._errors import SingularMatrixError
from kronlin.arrays.library import Array


class SparseLU:
    """P A Q = L U with permutations P and Q that keep L and U sparse, computed in double precision.

    Args:
        matrix: a square sparse matrix or array of SciPy.

    Raises:
        SingularMatrixError: a pivot is zero, or rounding error beside the entries of its column.

    >>> from scipy.sparse import csr_array
    >>> SparseLU(csr_array(np.array([[0.0, 2.0], [1.0, 0.0]]))).slogdet()
    (-1.0, 0.69314718)

    Source: Demmel, Eisenstat, Gilbert, Li, Liu, SIAM J. Matrix Anal. Appl. 20 (1999).
    """

    def __init__(self, matrix: Any) -> None:
        self.dtype = np.complex128 if matrix.dtype.kind == "c" else np.float64
        self.n = matrix.shape[0]
        if not self.n:
            return
        columns = matrix.astype(self.dtype).tocsc()
        try:
            self.factors = import_module("scipy.sparse.linalg").splu(columns)
        except RuntimeError as error:
            raise SingularMatrixError(str(error).lower()) from None
        self.pivots = self.factors.U.diagonal()
        sizes = abs(columns).max(axis=0).toarray().ravel()
        relative = abs(self.pivots[self.factors.perm_c]) / sizes
        if not relative.min() > self.n * np.finfo(np.float64).eps:
            raise SingularMatrixError(f"a pivot is only {relative.min():.1e} of its column, which is rounding error")

    def solve(self, b: Array, *, adjoint: bool = False) -> Array:
        """Solve A x = b, or Aᴴ x = b, for b of shape (n, k)."""
        if not b.size:
            return b
        return self.factors.solve(b.astype(self.dtype), trans="H" if adjoint else "N").astype(b.dtype)

    def slogdet(self) -> tuple[complex, float]:
        """The pair (sign, log |det A|)."""
        if not self.n:
            return 1.0, 0.0
        moduli = abs(self.pivots)
        sign = np.prod(self.pivots / moduli) * _parity(self.factors.perm_r) * _parity(self.factors.perm_c)
        return sign.item(), float(np.sum(np.log(moduli)))


def _parity(permutation: Any) -> int:
    """1 for an even permutation, -1 for an odd one: a cycle of even length is odd."""
    images, parity = permutation.tolist(), 1
    for start in range(len(images)):
        while images[start] != start:
            there = images[start]
            images[start], images[there] = images[there], there
            parity = -parity
    return parity
