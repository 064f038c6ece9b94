"""Many Lanczos processes of one operator side by side, for the Gauss quadrature of xᴴ f(A) x."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import eigh_tridiagonal

from kronlin.algebra import Operator
from kronlin.arrays import Array, conj, real_part, root_sum_squares, to_numpy
from kronlin.krylov.process import Basis

Numbers = np.ndarray[Any, Any]


class Processes:
    """The tridiagonal matrices Tᵢ = Uᵢᴴ A Uᵢ of the Krylov spaces of the columns xᵢ of a block.

    One product of A with a block a step. Every vector is made orthogonal to all before it, so n m j numbers are kept
    for m columns and j steps.

    Args:
        A: a self-adjoint operator (n, n).
        starts: the columns xᵢ, (n, m), of any length but 0.

    Source: Golub and Meurant, "Matrices, Moments and Quadrature with Applications" (2010).
    """

    def __init__(self, A: Operator, starts: Array) -> None:
        self.A = A
        self.basis = Basis()
        self.alpha: list[Array] = []
        self.beta: list[Array] = []
        self.size = root_sum_squares(starts, axis=0)
        self.last = starts * 0
        self.next = starts / self.size
        self.side = self.size * 0

    def extend(self, steps: int) -> None:
        """Take steps, each with one product; columns that are used up go on with a zero or a noise vector."""
        own = self.A.kind
        xp = own.xp
        for _ in range(steps):
            before, self.last = self.last, self.next
            self.basis.append(xp.matrix_transpose(self.last)[:, None, :])
            w = self.A._matmat(self.last)
            alpha = xp.vecdot(self.last, w, axis=-2)
            w = self._orthogonal(w - alpha * self.last - self.side * before)
            self.side = root_sum_squares(w, axis=0)
            self.next = w / xp.where(self.side > 0, self.side, xp.ones_like(self.side))
            self.alpha.append(real_part(alpha))
            self.beta.append(self.side)

    def _orthogonal(self, w: Array) -> Array:
        """Each column without its parts along the vectors of its own process."""
        xp = self.A.kind.xp
        columns = xp.matrix_transpose(w)[..., None]
        for vectors in self.basis.blocks:
            columns = columns - xp.matrix_transpose(vectors) @ (conj(vectors) @ columns)
        return xp.matrix_transpose(columns[..., 0])

    def quadrature(self, function: Callable[[Numbers], Numbers]) -> tuple[Numbers, bool]:
        """xᵢᴴ f(A) xᵢ ≈ ‖xᵢ‖² e₁ᵀ f(Tᵢ) e₁ for each column, and whether all Krylov spaces are used up.

        `function` is called with the Ritz values of one process.
        """
        xp = self.A.kind.xp
        alpha, beta = (
            np.asarray(to_numpy(xp.stack(numbers)), dtype=np.float64).T for numbers in (self.alpha, self.beta)
        )
        if not (np.isfinite(alpha).all() and np.isfinite(beta).all()):
            raise ValueError("the Lanczos process met a value that is not finite: A returned NaN or Inf")
        values, done = [], True
        for diagonal, side in zip(alpha, beta, strict=True):
            floor = 10 * self.A.kind.eps * self.A.shape[0] ** 0.5 * np.maximum.accumulate(np.abs(diagonal) + side)
            ends = np.flatnonzero(side <= floor)
            count = int(ends[0]) + 1 if len(ends) else len(diagonal)
            done = done and bool(len(ends) or count == self.A.shape[0])
            nodes, vectors = eigh_tridiagonal(diagonal[:count], side[: count - 1])
            values.append(np.sum(vectors[0] ** 2 * function(nodes)))
        return np.asarray(values) * np.asarray(to_numpy(self.size), dtype=np.float64) ** 2, done
