"""RitzWindow: approximate eigenvectors of the smallest eigenvalues, gathered while conjugate gradients run."""

import numpy as np
from scipy.linalg import eigh

from kronlin.arrays import Array, Kind, to_numpy
from kronlin.krylov.process import Basis
from kronlin.krylov.result import Numbers
from kronlin.krylov.system import checked_number


class RitzWindow:
    """The Lanczos process that conjugate gradients are, of one column, compressed whenever a window is full.

    With ρⱼ = (rⱼ, yⱼ) the vectors uⱼ = yⱼ / √ρⱼ are Lanczos vectors of M A, and T = Uᴴ A U has the diagonal
    1/αⱼ + βⱼ/αⱼ₋₁ and the side -√βⱼ₊₁/αⱼ. When the window is full, U and T are compressed to the Ritz vectors of the
    k smallest Ritz values of T and those of T without its last row, at most 2 k together; the next vector couples
    to them through the last row of U alone.

    Args:
        own: the kind of the vectors.
        count: the number k of Ritz vectors that are wanted.
        size: vectors that are kept, at least 2 k + 1.

    Source: Stathopoulos and Orginos, SIAM J. Sci. Comput. 32 (2010), algorithm 2.1.
    """

    def __init__(self, own: Kind, count: int, size: int) -> None:
        self.kind, self.count, self.size = own, count, size
        self.basis = Basis()
        self.matrix = np.zeros((0, 0))
        self.last = np.zeros(0)
        self.ratio = 0.0
        self.pending: list[Array] = []
        self.begun = self.closed = False

    def begin(self) -> None:
        """Start with a recurrence; one that starts anew has another Krylov space, and is left out."""
        self.closed, self.begun = self.begun, True

    def note(self, y: Array, rho: Array, beta: Array, alpha: Array) -> None:
        """Take in a step of the first column: y = M r, ρ, β and α, which is 0 where the column rests."""
        if self.closed:
            return
        xp, y, rho, alpha = self.kind.xp, y[:, :1], rho[:1], alpha[:1]
        length = xp.sqrt(xp.where(alpha > 0, rho, xp.ones_like(rho)))
        self.basis.append(xp.matrix_transpose(xp.where(alpha > 0, y / length, xp.zeros_like(y))))
        self.pending.append(xp.concat([alpha, beta[:1]]))
        if len(self.matrix) + len(self.pending) == self.size:
            self._absorb()
            if not self.closed:
                self._compress()

    def result(self) -> tuple[Numbers, Array] | None:
        """The smallest Ritz values, ascending, and their Ritz vectors (n, k); None if no step was taken."""
        self._absorb()
        size = len(self.matrix)
        if not size:
            return None
        values, vectors = eigh(self.matrix, subset_by_index=(0, min(self.count, size) - 1))
        return values, self.kind.xp.matrix_transpose(self._combined(vectors, size))

    def _absorb(self) -> None:
        """Extend T by the steps since the last time (one synchronisation)."""
        if self.pending:
            steps = np.asarray(to_numpy(self.kind.xp.stack(self.pending)), dtype=np.float64)
            self.pending = []
            for alpha, beta in steps:
                if alpha <= 0:
                    self.closed = True
                    break
                self._grow(alpha, beta)

    def _grow(self, alpha: float, beta: float) -> None:
        """Add a row and a column to T, which couple to the last vector."""
        size = len(self.matrix)
        beta = beta if size else 0.0
        grown = np.zeros((size + 1, size + 1))
        grown[:size, :size] = self.matrix
        grown[size, :size] = grown[:size, size] = -np.sqrt(beta) * self.ratio * self.last
        grown[size, size] = 1 / alpha + beta * self.ratio
        self.matrix, self.ratio = grown, 1 / alpha
        self.last = np.eye(size + 1)[size]

    def _compress(self) -> None:
        """Go over to the Ritz vectors of T and of T without its last row."""
        size, wanted = len(self.matrix), (0, self.count - 1)
        now = eigh(self.matrix, subset_by_index=wanted)[1]
        before = np.zeros_like(now)
        before[:-1] = eigh(self.matrix[:-1, :-1], subset_by_index=wanted)[1]
        left, singular, _ = np.linalg.svd(np.concatenate([now, before], axis=1), full_matrices=False)
        both = left[:, singular > 1e-6]
        values, rotation = eigh(both.T @ self.matrix @ both)
        vectors = both @ rotation
        rows = self._combined(vectors, size)
        self.basis = Basis()
        for j in range(rows.shape[0]):
            self.basis.append(rows[j : j + 1, :])
        self.matrix, self.last = np.diag(values), self.last @ vectors

    def _combined(self, vectors: Numbers, size: int) -> Array:
        """Combinations of the first `size` vectors, as rows."""
        return self.kind.asarray(vectors.T) @ self.basis.rows(size)


def window(own: Kind, recycle: int, caller: str) -> RitzWindow | None:
    """The window for `recycle` Ritz vectors, of 4 k vectors and at least 2 k + 20; None for none."""
    count = int(checked_number(caller, "recycle", recycle, 0))
    return RitzWindow(own, count, 2 * count + max(2 * count, 20)) if count else None
