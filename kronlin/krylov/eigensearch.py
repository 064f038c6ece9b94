"""EigenSearch: rounds of the Lanczos process, each orthogonal to what was found, so that no copy is missed."""

from typing import Any

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import Array, Kind
from kronlin.krylov._inner import inner
from kronlin.krylov.process import Process, random_start, ritz, ritz_vectors
from kronlin.krylov.result import Numbers


class EigenSearch:
    """The eigenpairs of M A that were found so far, and the rounds that find more.

    Args:
        own: the kind of the vectors.
        k: number of pairs that are wanted.
        which: which ones, as in `eigsh`.
        tol: the largest residual of a pair, relative to the largest modulus.
        most: the largest number of steps in a round.
    """

    def __init__(self, own: Kind, k: int, which: str, tol: float, most: int) -> None:
        self.kind, self.k, self.which, self.tol, self.most = own, k, which, tol, most
        self.values, self.bounds = np.zeros(0), np.zeros(0)
        self.rows: tuple[Array, Array] | None = None
        self.steps = 0

    def round(self, A: Operator, M: Operator | None, seed: int) -> bool:
        """Run the process orthogonal to what was found; tell whether it found pairs that are wanted."""
        n, xp = A.shape[0], self.kind.xp
        start = random_start(self.kind, n, seed)
        if M is not None and M.is_pd is False:
            start = A @ (M @ start)
        process = Process(A, M, start, self.kind, self.rows)
        length = float(inner(start, start if M is None else M @ start)[0])
        if abs(float(process.square[0][0])) <= self.kind.eps * abs(length):
            return False  # what was found spans the range of M
        steps, most = 0, min(n - len(self.values), self.most)
        while True:
            more = min(most - steps, steps // 2 if steps else max(20, 2 * self.k + 10))
            process.extend(more)
            steps += more
            alpha, side, exhausted = process.coefficients()
            values, bounds = ritz(alpha, side)
            wanted, needed = self._among(values)
            worst = float(np.max(bounds[needed])) / self._size(values)
            if exhausted or worst <= self.tol:
                break
            if steps >= most:
                raise RuntimeError(
                    f"eigsh: the {self.which} eigenpairs have residuals up to {worst:.1e} max |θ| after {steps} steps, "
                    f"where {self.tol:.1e} is wanted: raise maxiter or tol, give an M, or take A.inverse() or A.eigh()"
                )
        self.steps += len(alpha)
        if not len(wanted):
            return False
        weights = self.kind.asarray(ritz_vectors(alpha, side)[:, wanted].T)
        found = tuple(weights @ part for part in process.rows(len(alpha)))
        if self.rows is not None:
            found = tuple(xp.concat([old, new], axis=0) for old, new in zip(self.rows, found, strict=True))
        self.rows = (found[0], found[1])
        self.values = np.concatenate([self.values, values[wanted]])
        self.bounds = np.concatenate([self.bounds, bounds[wanted]])
        return True

    def result(self) -> tuple[Array, Array, Numbers]:
        """The k wanted ones of what was found: values (k,) ascending, vectors (n, k) and their residuals (k,).

        Raises:
            ValueError: there are fewer.
        """
        chosen = selected(self.values, self.k, self.which)
        if self.rows is None or len(chosen) < self.k:
            raise ValueError(f"eigsh: M A has only {len(chosen)} eigenvalues outside of the null space of M")
        chosen = chosen[np.argsort(self.values[chosen], kind="stable")]
        vectors = self.kind.xp.take(self.rows[0], self.kind.indices(chosen.tolist()), axis=0)
        bounds = np.maximum(self.bounds[chosen], self.kind.eps * self._size(self.values))
        return self.kind.real.asarray(self.values[chosen].tolist()), self.kind.xp.matrix_transpose(vectors), bounds

    def _size(self, values: Numbers) -> float:
        """The largest modulus, of these values and of those that were found."""
        return float(max(np.max(np.abs(values)), np.max(np.abs(self.values), initial=0.0))) or 1.0

    def _among(self, values: Numbers) -> tuple[Numbers, Numbers]:
        """Which Ritz values belong to the k wanted, and which must be sharp to know that."""
        count = len(self.values)
        # of two values that are equal to rounding the one that was found before is kept
        ahead = np.where(np.arange(count + len(values)) < count, 10 * self.tol * self._size(values), 0.0)
        chosen = selected(np.concatenate([self.values, values]), self.k, self.which, ahead)
        wanted = np.sort(chosen[chosen >= count] - count)
        return wanted, np.union1d(wanted, selected(values, 2 if self.which == "BE" else 1, self.which))


def selected(values: Numbers, k: int, which: str, ahead: Any = 0.0) -> Numbers:
    """The places of the k values that are wanted (fewer if there are fewer); some are `ahead` by so much."""

    def best(keys: Numbers, count: int) -> Numbers:
        return np.argsort(-(keys + ahead), kind="stable")[:count]

    if which == "BE":
        top = best(values, k - k // 2)
        bottom = best(-values, len(values))
        return np.union1d(top, bottom[~np.isin(bottom, top)][: k // 2])
    return best({"LM": np.abs(values), "SM": -np.abs(values), "LA": values, "SA": -values}[which], k)
