"""Galerkin: the coarse problem E = Zᴴ A Z of a coarse space Z, and the projections made from it."""

from functools import cached_property
from typing import Any

from kronlin.algebra import Identity, Operator, Product, rules
from kronlin.algebra.properties import PD, PSD, UNKNOWN
from kronlin.algebra.structure import promote
from kronlin.arrays import (
    Array,
    NotPositiveDefiniteError,
    SingularMatrixError,
    adjoint,
    all_finite,
    cast,
    diagonal_of,
    eigh,
    inverse_positive,
    is_array,
    is_linear_map,
    kind,
    pieces,
    to_numpy,
)
from kronlin.operators import Dense

_FEW_COLUMNS = 64
"""Columns of A Z that are formed for a solver: they cost about a quarter of so many products with A."""


class Galerkin:
    """The coarse side of a two-level method: E = Zᴴ A Z, Q = Z E⁻¹ Zᴴ, P = I - A Q.

    For A = U Uᴴ / n + λ I the small matrix Y = Uᴴ Z is kept and E = Yᴴ Y / n + λ Zᴴ Z, which is psd by
    construction; afterwards A Z c = U (Y c) / n + λ Z c, so that Q, P and Pᴴ need no further product with A. E is
    scaled to unit diagonal and inverted by Cholesky; if Z has dependent columns, the directions beyond its
    numerical rank are dropped, and `dropped` says how many.

    A coarse solver S ≈ E⁻¹ of yours stands in for the inverse, so that Q = Z S Zᴴ: a two-level method for E makes
    three levels. Then P is a projection, and P A Z = 0, only as far as S E = I.

    Args:
        A: a self-adjoint positive definite operator (p, p).
        Z: an operator or array (p, k), k columns that span the coarse space.
        coarse_solver: S as an operator or array (k, k), or a function that makes it of E, handed over as an operator;
            E is inverted if None.

    Raises:
        ValueError: the shapes or kinds do not fit, A is known not to be positive semidefinite, or E shows that it is
            not, or has an entry that is NaN or infinite.

    >>> import numpy as np
    >>> G = Galerkin(np.diag([1.0, 2.0, 4.0]), np.ones((3, 1)))
    >>> G.E, float(G.Q.trace())
    (array([[7.]]), 0.4285714285714)
    >>> G
    Galerkin(1 of 3 dimensions, condition 1 (1 scaled): Dense(3×1, float64))

    Source: Tang, Nabben, Vuik, Erlangga, J. Sci. Comput. 39 (2009), section 2.2.
    """

    def __init__(self, A: Any, Z: Any, *, coarse_solver: Any = None) -> None:
        operators = promote("a coarse space", rules.wrap(A), as_columns(Z))
        self.A: Operator = operators[0]
        self.Z: Operator = operators[1]
        p, k = self.Z.shape
        if self.A.shape != (p, p):
            raise ValueError(f"the coarse space is {p}×{k}, so A must be {p}×{p}, not {self.A.shape}")
        if self.A.is_psd is False:
            raise ValueError(f"a coarse correction needs a positive definite A, and {self.A!r} is known not to be psd")
        if k == 0:
            raise ValueError("the coarse space has no column: leave the coarse correction out")
        self.AZ, self.E = rules.project(self.A, self.Z)
        if not all_finite(self.E):
            raise ValueError("Zᴴ A Z has an entry that is NaN or infinite: check A and Z, or scale the columns of Z")
        self.is_exact = coarse_solver is None
        self.dropped = 0
        if self.is_exact:
            inverse, self.dropped = inverse_of_coarse_matrix(self.E)
            self.E_inverse: Operator = Dense._make(inverse)._with(PSD if self.dropped else PD)
        else:
            self.E_inverse = _solver(coarse_solver, Dense._make(self.E)._with(PSD if self.A.is_psd else UNKNOWN))

    @property
    def k(self) -> int:
        """Number of columns of Z."""
        return self.Z.shape[1]

    @cached_property
    def Q(self) -> Operator:
        """Z E⁻¹ Zᴴ, the coarse correction; Z S Zᴴ with a coarse solver S."""
        return Product(self.Z, self.E_inverse, self.Z.H)

    @cached_property
    def formed_AZ(self) -> Operator:
        """A Z for those who multiply with it at every step: an array, made when first asked for and kept.

        For A = U Uᴴ / n + λ I a product with `AZ` costs half a product with A, one with the array p k multiplications.
        It is `AZ` itself where the p k entries are beyond `memory_limit`, or where Z has more than 64 columns.
        """
        p, k = self.Z.shape
        is_small = k <= _FEW_COLUMNS and len(pieces(p, k, self.AZ.kind)) == 1
        return Dense._make(self.AZ.to_dense()) if is_small and not isinstance(self.AZ, Dense) else self.AZ

    @cached_property
    def AQ(self) -> Operator:
        """A Q, at the cost of one product with A or less."""
        return Product(self.AZ, self.E_inverse, self.Z.H)

    @cached_property
    def P(self) -> Operator:
        """I - A Q, the projection along A Z if E is solved exactly."""
        return Identity(self.A.shape[0], like=self.A) - self.AQ

    def condition(self) -> tuple[float, float]:
        """The condition number of E as it is and scaled to unit diagonal; infinite for dependent columns."""
        return self._conditions

    @cached_property
    def _conditions(self) -> tuple[float, float]:
        return _condition(self.E), _condition(_equilibrated(self.E)[0])

    def __repr__(self) -> str:
        words = f"{self.k} of {self.A.shape[0]} dimensions"
        if self.is_exact:
            words += ", condition {:.3g} ({:.3g} scaled)".format(*self.condition())
            words += f", {self.dropped} dropped" if self.dropped else ""
        else:
            words += f", solved by {self.E_inverse._summary}"
        return f"Galerkin({words}: {self.Z!r})"


def _solver(coarse_solver: Any, E: Operator) -> Operator:
    """The coarse solver as an operator of the kind of E, checked."""
    makes = callable(coarse_solver) and not is_linear_map(coarse_solver)
    found = rules.wrap(coarse_solver(E) if makes else coarse_solver)
    if found.shape != E.shape:
        raise ValueError(f"{E.shape[0]} coarse columns take a coarse solver of shape {E.shape}, not {found.shape}")
    solver: Operator = promote("a coarse solver", E, found)[1]
    if solver.kind != E.kind:
        raise ValueError(f"the coarse solver is complex, and E = Zᴴ A Z is {E.kind}: bring A or Z to {solver.kind} too")
    return solver


def as_columns(Z: Any) -> Operator:
    """Return a coarse space as an operator; a single vector is refused with advice."""
    if is_array(Z) and Z.ndim == 1:
        raise ValueError(f"a coarse space has columns: pass Z (p, k), for one vector z[:, None], not ({Z.shape[0]},)")
    wrapped: Operator = rules.wrap(Z)
    return wrapped


def inverse_of_coarse_matrix(E: Array) -> tuple[Array, int]:
    """Return E⁻¹ of a psd E (k, k), and how many dependent directions were left out of it.

    Computed in double precision on D E D with unit diagonal, D = diag(E)^-½. Where that is singular, its
    eigenvalues up to k eps are dropped and the others inverted.
    """
    own = kind(E)
    scaled, d = _equilibrated(cast(E, own.double))
    xp, k = own.xp, E.shape[-1]
    try:
        inverse, dropped = inverse_positive(scaled), 0
    except (NotPositiveDefiniteError, SingularMatrixError):
        w, q = eigh(scaled)
        floor = 10 * k * own.eps
        if float(w[0]) < -floor * k:
            raise NotPositiveDefiniteError(
                f"Zᴴ A Z, scaled to unit diagonal, has the eigenvalue {float(w[0]):.3g}: A is not positive definite"
            ) from None
        kept = w > floor
        inverted = xp.where(kept, 1 / xp.where(kept, w, xp.ones_like(w)), xp.zeros_like(w))
        inverse = (q * inverted) @ adjoint(q)
        dropped = sum(not bool(flag) for flag in to_numpy(kept))
    return cast(d[:, None] * inverse * d, own), dropped


def _equilibrated(E: Array) -> tuple[Array, Array]:
    """D E D with unit diagonal, and the diagonal of D; a zero column keeps its zero."""
    xp = kind(E).xp
    diagonal = xp.abs(diagonal_of(E))
    positive = diagonal > 0
    d = xp.where(positive, 1 / xp.sqrt(xp.where(positive, diagonal, xp.ones_like(diagonal))), xp.zeros_like(diagonal))
    return d[:, None] * E * d, d


def _condition(E: Array) -> float:
    w = eigh(E)[0]
    smallest, largest = float(w[0]), float(w[-1])
    return largest / smallest if smallest > kind(E).eps * largest else float("inf")
