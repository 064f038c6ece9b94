"""eigsh: a few eigenpairs of a self-adjoint operator, with error bounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from kronlin.arrays import Array, Kind, common_kind
from kronlin.krylov._inner import inner
from kronlin.krylov._lanczos import ADVICE
from kronlin.krylov.process import Process, random_start, ritz, ritz_vectors
from kronlin.krylov.result import Numbers
from kronlin.krylov.system import checked_number, operators

Which = Literal["LM", "SM", "LA", "SA", "BE"]


@dataclass(frozen=True, eq=False)
class EigenResult:
    """Eigenpairs of M A; it unpacks and indexes as SciPy's pair `(values, vectors)`."""

    values: Array
    """The eigenvalues in ascending order, (k,)."""

    vectors: Array
    """The eigenvectors as columns (n, k), with Xᴴ M⁻¹ X = I."""

    bounds: Numbers
    """Residuals of the pairs, (k,): so near to each value there is an eigenvalue, and its error is of second order."""

    iterations: int
    """Lanczos steps, each with one product with A and one with M."""

    def __iter__(self) -> Iterator[Array]:
        return iter((self.values, self.vectors))

    def __getitem__(self, index: int) -> Array:
        return (self.values, self.vectors)[index]

    def __len__(self) -> int:
        return 2

    def __repr__(self) -> str:
        values = ", ".join(f"{float(self.values[j]):.6g}" for j in range(len(self.bounds)))
        return f"EigenResult({values} within {np.max(self.bounds):.1e}, {self.iterations} steps)"


def eigsh(
    A: Any,
    k: int = 6,
    which: Which = "LM",
    M: Any = None,
    *,
    tol: float = 1e-10,
    maxiter: int | None = None,
    seed: int = 0,
) -> EigenResult:
    """Compute k eigenpairs of a self-adjoint A, or of M A, by the Lanczos process with full reorthogonalisation.

    A x = θ x; with M it is A x = θ M⁻¹ x. One Krylov space shows a multiple eigenvalue once. So the process is run
    again, orthogonal to what was found, until it brings nothing that belongs to the k wanted: an eigenvalue of
    multiplicity m takes m rounds, and the last round only confirms. A step costs one product with A, one with M and
    4 n j operations; n j numbers are kept (2 n j with M). For the eigenvalues at the lower end of a badly conditioned A
    take eigsh(A.inverse()), whose "LM" are the reciprocals, or an M. `A.eigh()` gives all, by structure.

    Args:
        A: self-adjoint operator or array (n, n), of any array library.
        k: number of eigenpairs, at most n.
        which: "LM" or "SM", largest or smallest modulus; "LA" or "SA", largest or smallest; "BE", from both ends,
            half of k each, and one more from above if k is odd.
        M: self-adjoint positive definite operator or array that approximates A⁻¹, as in `cg`; the identity if None.
            SciPy's M is the inverse of this one.
        tol: a pair has converged when its residual is at most `tol` max |θ| (or 100 eps max |θ|).
        maxiter: largest number of steps in a round; the smaller of n and 2000 + 20 k if None.
        seed: for the Gaussian start; the result is the same on every call.

    Returns:
        An `EigenResult`, which unpacks as `(values, vectors)` in the kind of A.

    Raises:
        ValueError: shapes or kinds do not fit, k is not in 1 … n, `which` is unknown, or A or M is known or found
            to lack what is needed.
        RuntimeError: the pairs have not converged after `maxiter` steps.

    >>> import numpy as np, kronlin as kl
    >>> values, vectors = kl.krylov.eigsh(np.diag([1.0, 5.0, 2.0, 5.0, 3.0]), 3, which="LA")
    >>> values
    array([3., 5., 5.])

    Source: Parlett, "The Symmetric Eigenvalue Problem" (1998), chapter 13; section 13.8 for the rounds.
    """
    A, M = operators("eigsh", A, M, ADVICE, definite=False)
    n = A.shape[0]
    if not (isinstance(k, int) and 1 <= k <= n):
        raise ValueError(f"eigsh: k must be a whole number from 1 to {n} for {A!r}, not {k!r}")
    if which not in get_args(Which):
        raise ValueError(f"eigsh: unknown which={which!r}, choose one of {', '.join(get_args(Which))}")
    most = 2000 + 20 * k if maxiter is None else int(checked_number("eigsh", "maxiter", maxiter, 1))
    own = common_kind([A.kind] + ([] if M is None else [M.kind]), "eigsh")
    search = _Search(own, k, which, max(checked_number("eigsh", "tol", tol, 0), 100 * own.eps), most)
    while len(search.values) < n and search.round(A, M, seed):
        seed += 1
    return search.result()


class _Search:
    """The pairs that were found so far, and the rounds that find more."""

    def __init__(self, own: Kind, k: int, which: str, tol: float, most: int) -> None:
        self.kind, self.k, self.which, self.tol, self.most = own, k, which, tol, most
        self.values, self.bounds = np.zeros(0), np.zeros(0)
        self.rows: tuple[Array, Array] | None = None
        self.steps = 0

    def round(self, A: Any, M: Any, seed: int) -> bool:
        """Run the process orthogonal to what was found; tell whether it found pairs that are wanted."""
        n, xp = A.shape[0], self.kind.xp
        start = random_start(self.kind, n, seed)
        if M is not None and M.is_pd is False:
            start = A @ (M @ start)
        process = Process(A, M, start, self.kind, self.rows)
        length = float(inner(start, start if M is None else M @ start)[0])
        if float(process.square[0][0]) <= self.kind.eps * length:
            return False
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

    def result(self) -> EigenResult:
        """The k wanted ones of what was found."""
        chosen = _selected(self.values, self.k, self.which)
        if self.rows is None or len(chosen) < self.k:
            raise ValueError(f"eigsh: M A has only {len(chosen)} eigenvalues outside of the null space of M")
        chosen = chosen[np.argsort(self.values[chosen], kind="stable")]
        vectors = self.kind.xp.take(self.rows[0], self.kind.indices(chosen.tolist()), axis=0)
        return EigenResult(
            self.kind.real.asarray(self.values[chosen].tolist()),
            self.kind.xp.matrix_transpose(vectors),
            np.maximum(self.bounds[chosen], self.kind.eps * self._size(self.values)),
            self.steps,
        )

    def _size(self, values: Numbers) -> float:
        """The largest modulus, of these values and of those that were found."""
        return float(max(np.max(np.abs(values)), np.max(np.abs(self.values), initial=0.0))) or 1.0

    def _among(self, values: Numbers) -> tuple[Numbers, Numbers]:
        """Which Ritz values belong to the k wanted, and which must be sharp to know that."""
        count = len(self.values)
        # of two values that are equal to rounding the one that was found before is kept
        ahead = np.where(np.arange(count + len(values)) < count, 10 * self.tol * self._size(values), 0.0)
        chosen = _selected(np.concatenate([self.values, values]), self.k, self.which, ahead)
        wanted = np.sort(chosen[chosen >= count] - count)
        return wanted, np.union1d(wanted, _selected(values, 2 if self.which == "BE" else 1, self.which))


def _selected(values: Numbers, k: int, which: str, ahead: Any = 0.0) -> Numbers:
    """The places of the k values that are wanted (fewer if there are fewer); some are `ahead` by so much."""

    def best(keys: Numbers, count: int) -> Numbers:
        return np.argsort(-(keys + ahead), kind="stable")[:count]

    if which == "BE":
        return np.union1d(best(values, k - k // 2), best(-values, k // 2))
    return best({"LM": np.abs(values), "SM": -np.abs(values), "LA": values, "SA": -values}[which], k)
