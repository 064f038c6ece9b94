"""eigsh: a few eigenpairs of a self-adjoint operator, with error bounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from kronlin.arrays import Array, common_kind
from kronlin.krylov._lanczos import ADVICE
from kronlin.krylov.eigensearch import EigenSearch
from kronlin.krylov.result import Numbers
from kronlin.krylov.system import checked_number, operators

Which = Literal["LM", "SM", "LA", "SA", "BE"]


@dataclass(frozen=True, eq=False)
class EigenResult:
    """Eigenpairs of M A; it unpacks and indexes as SciPy's pair `(values, vectors)`.

    >>> import numpy as np, kronlin as kl
    >>> values, vectors = kl.krylov.eigsh(np.diag([1.0, 2.0, 3.0, 9.0]), 1)
    >>> values, vectors.shape
    (array([9.]), (4, 1))
    """

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
    4 n j operations; n j numbers are kept (2 n j with M). For the lower end of a badly conditioned A take
    eigsh(A.inverse()), whose "LM" are the reciprocals. `A.eigh()` gives all, by structure.

    Args:
        A: self-adjoint operator or array (n, n), of any array library.
        k: number of eigenpairs, at most n.
        which: "LM" or "SM", largest or smallest modulus; "LA" or "SA", largest or smallest; "BE", from both ends,
            half of k each, and one more from above if k is odd.
        M: self-adjoint positive definite operator or array that approximates A⁻¹, as in `cg`; the identity if None.
            SciPy's M is the inverse of this one.
        tol: a pair has converged when its residual is at most `tol` max |θ| (or 10 eps max |θ|).
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
    search = EigenSearch(own, k, which, max(checked_number("eigsh", "tol", tol, 0), 10 * own.eps), most)
    while len(search.values) < n and search.round(A, M, seed):
        seed += 1
    return EigenResult(*search.result(), search.steps)
