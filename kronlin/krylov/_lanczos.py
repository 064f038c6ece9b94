"""lanczos: Ritz values of a self-adjoint operator, with error bounds."""

from dataclasses import dataclass
from typing import Any

from kronlin.arrays import Array, common_kind, kind
from kronlin.krylov.process import Process, checked_start, default_start, ritz, ritz_vectors
from kronlin.krylov.result import Numbers
from kronlin.krylov.system import checked_number, operators

ADVICE = (
    ": M A has the spectrum of BNN if M is A-DEF1 or A-DEF2, and that of R-BNN1 if M is DEF1, DEF2 or R-BNN2; "
    "those two are self-adjoint"
)


@dataclass(frozen=True, eq=False)
class LanczosResult:
    """A tridiagonal T = Uᴴ A U and what it says of the spectrum of M A.

    >>> import numpy as np, kronlin as kl
    >>> kl.krylov.lanczos(np.diag([1.0, 2.0, 4.0]), 3)
    LanczosResult(3 steps: Ritz values 1 to 4)
    """

    alpha: Numbers
    """Diagonal of T, (j,)."""

    beta: Numbers
    """Side of T, (j,): β₁ … βⱼ₋₁ stand beside the diagonal, βⱼ couples to what was left out."""

    ritz_values: Numbers
    """Eigenvalues of T in ascending order, (j,)."""

    bounds: Numbers
    """Within such a distance of each Ritz value there is an eigenvalue of M A, (j,)."""

    exhausted: bool
    """Whether the Krylov space is invariant: the Ritz values are then eigenvalues to rounding."""

    basis: Array
    """U as an array (n, j) with Uᴴ M⁻¹ U = I."""

    @property
    def steps(self) -> int:
        """The dimension j of the Krylov space."""
        return len(self.alpha)

    def ritz_vectors(self, first: int = 0, last: int | None = None) -> Array:
        """Approximate eigenvectors of M A for the Ritz values `first` to `last`, both included, as columns."""
        return self.basis @ kind(self.basis).asarray(ritz_vectors(self.alpha, self.beta, first, last))

    def __repr__(self) -> str:
        low, high = self.ritz_values[0], self.ritz_values[-1]
        return f"LanczosResult({self.steps} steps: Ritz values {low:.6g} to {high:.6g})"


def lanczos(A: Any, steps: int, M: Any = None, start: Array | None = None, seed: int = 0) -> LanczosResult:
    """Reduce M A to tridiagonal form on the Krylov space of a start, with full reorthogonalisation.

    uⱼ = M qⱼ, βⱼ₊₁ qⱼ₊₁ = A uⱼ - αⱼ qⱼ - βⱼ qⱼ₋₁ with qᵢᴴ M qⱼ = δᵢⱼ, so that T = tridiag(β, α, β) = Uᴴ A U. For a
    psd M with a null space only the nonzero spectrum of M A is seen. A step costs one product with A, one with M,
    and 4 n j operations; n j numbers are kept (2 n j with M). It ends early if the Krylov space is exhausted.

    Args:
        A: self-adjoint operator or array (n, n), possibly indefinite.
        steps: dimension of the Krylov space.
        M: self-adjoint psd operator or array; the identity if None.
        start: a residual-like vector (n,); a Gaussian one if None, brought into the range of A M where A or M may
            be singular. The space is M start, M A M start, …
        seed: for the Gaussian start.

    Raises:
        ValueError: shapes or kinds do not fit, A or M is known or found to lack what is needed, or a product has a
            NaN or an Inf.

    >>> import numpy as np, kronlin as kl
    >>> kl.krylov.lanczos(np.diag([1.0, 2.0, 2.0, 5.0]), 4).ritz_values
    array([1., 2., 5.])

    Source: Paige, J. Inst. Maths Applics 18 (1976); Parlett, "The Symmetric Eigenvalue Problem" (1998), chapter 13.
    """
    A, M = operators("lanczos", A, M, ADVICE, definite=False)
    n = A.shape[0]
    steps = int(checked_number("lanczos", "steps", steps, 1))
    extra = [kind(start)] if start is not None else []
    own = common_kind([A.kind, *([] if M is None else [M.kind]), *extra], "lanczos")
    first = default_start(A, M, own, seed) if start is None else checked_start(own, n, start, "lanczos")
    process = Process(A, M, first, own)
    process.extend(min(steps, n))
    alpha, beta, exhausted = process.coefficients()
    values, bounds = ritz(alpha, beta)
    return LanczosResult(alpha, beta, values, bounds, exhausted, process.basis(len(alpha)))
