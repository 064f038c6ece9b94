"""Hessenberg: many small least-squares problems min ‖β e₁ - H̄ y‖, grown a column at a time by Givens rotations."""

import numpy as np

from kronlin.krylov.result import Numbers


class Hessenberg:
    """The problems min ‖βᵢ e₁ - H̄ᵢ y‖ for Hessenberg matrices H̄ᵢ (j + 1, j), i = 1 … k, on the host.

    The rotations turn H̄ into an upper triangular R and β e₁ into g, so that the least norm is |g[j]| and y = R⁻¹ g.

    Args:
        beta: the norms βᵢ, (k,).
        size: the largest number of columns.
        dtype: of the entries.
        floor: a column whose R has a last entry of at most `floor` times the norm of the column depends on the others.

    Source: Saad, "Iterative Methods for Sparse Linear Systems" (2003), section 6.5.3.
    """

    def __init__(self, beta: Numbers, size: int, dtype: str, floor: float) -> None:
        count = len(beta)
        self.floor = floor
        self.columns = 0
        self.triangle = np.zeros((count, size, size), dtype=dtype)
        self.cosine = np.zeros((count, size), dtype=dtype)
        self.sine = np.zeros((count, size))
        self.side = np.zeros((count, size + 1), dtype=dtype)
        self.side[:, 0] = beta

    def append(self, column: Numbers) -> Numbers:
        """Add a column (k, j + 1) of H̄, whose last entry is real, and return the least norms (k,).

        A dependent column gets no weight in y, and leaves the norm as it is.
        """
        j = self.columns
        r, below = np.array(column[:, :-1]), column[:, -1].real
        for i in range(j):
            c, s = self.cosine[:, i], self.sine[:, i]
            r[:, i], r[:, i + 1] = c.conj() * r[:, i] + s * r[:, i + 1], c * r[:, i + 1] - s * r[:, i]
        length = np.hypot(np.abs(r[:, j]), below)
        free = length > self.floor * np.linalg.norm(column, axis=1)
        unit = np.where(free, length, 1.0)
        self.cosine[:, j] = np.where(free, r[:, j] / unit, 0.0)
        self.sine[:, j] = np.where(free, below / unit, 1.0)
        self.triangle[:, : j + 1, j] = np.where(free[:, None], r, 0.0)
        self.triangle[:, j, j] = unit
        g = self.side[:, j].copy()
        self.side[:, j], self.side[:, j + 1] = self.cosine[:, j].conj() * g, -self.sine[:, j] * g
        self.columns = j + 1
        return np.abs(self.side[:, j + 1])

    def solve(self, counts: Numbers) -> Numbers:
        """The minimisers y (k, j), of which problem i may use the first `counts[i]` columns."""
        y = np.zeros_like(self.side[:, : self.columns])
        for i, count in enumerate(counts):
            y[i, :count] = np.linalg.solve(self.triangle[i, :count, :count], self.side[i, :count])
        return y
