"""TwoLevel: a fine preconditioner and a coarse correction, combined by one of the known schemes."""

from typing import Any

from kronlin.algebra import Operator, Properties, rules
from kronlin.algebra.properties import every, properties
from kronlin.algebra.structure import promote
from kronlin.arrays import Array
from kronlin.galerkin import Galerkin, as_columns
from kronlin.twolevel._fused import fused_product
from kronlin.twolevel._schemes import SCHEMES, scheme_named
from kronlin.twolevel._weights import checked_weights


class TwoLevel(Operator):
    """A two-level preconditioner, made by `two_level`; `.formula` is the expression that computes it.

    >>> import numpy as np
    >>> B = two_level(np.diag([1.0, 2.0, 4.0]), np.eye(3), np.ones((3, 1)), "BNN")
    >>> B.coarse.E
    array([[7.]])
    """

    _stackable = False

    def __init__(
        self,
        A: Operator,
        M: Operator,
        Z: Operator,
        coarse_solver: Any = None,
        *,
        scheme: str,
        weights: tuple[float, float] | None = None,
    ) -> None:
        self._bind(A, M, Galerkin(A, Z, coarse_solver=coarse_solver), scheme, weights)

    def _bind(
        self, A: Operator, M: Operator, coarse: Galerkin, scheme: str, weights: tuple[float, float] | None
    ) -> None:
        self.scheme = SCHEMES[scheme]
        self.weights = weights
        self.A, self.M, self.coarse = A, M, coarse
        self.formula = self.scheme.formula(M, coarse, *(weights or ()))
        self._product = fused_product(self.scheme.expression, M, coarse) or self.formula._matmat
        solver = () if coarse.is_exact else (coarse.E_inverse,)
        self._define(A, M, coarse.Z, *solver, shape=A.shape, scheme=scheme, weights=weights)

    def with_scheme(self, scheme: str, M: Operator | None = None) -> "TwoLevel":
        """The same coarse problem and M, or another M, combined by another scheme; nothing is set up again."""
        entry = scheme_named(scheme)
        twin = TwoLevel.__new__(TwoLevel)
        weights = self.weights if entry.weighted else None
        twin._bind(self.A, self.M if M is None else M, self.coarse, entry.name, weights)
        return twin

    def _derive(self) -> Properties:
        if not self.scheme.self_adjoint:
            return properties(self_adjoint=False)
        involved = [self.A, self.M, *([self.coarse.E_inverse] if self.scheme.definite else [])]
        known = [each.properties for each in involved]
        if not every([each.psd for each in known]):
            return properties(self_adjoint=every([each.self_adjoint for each in known]))
        if self.scheme.definite or self.coarse.dropped == self.coarse.k:
            return properties(psd=True, pd=self.M.is_pd or None)
        return properties(psd=True, pd=False if self.coarse.is_exact else None)

    @property
    def _note(self) -> str:
        return self.scheme.name

    @property
    def _inside(self) -> str:
        weights = "" if self.weights is None else " weighted {:.4g} : {:.4g}".format(*self.weights)
        solver = "" if self.coarse.is_exact else f" by {self.coarse.E_inverse._summary}"
        coarse = f"{self.coarse.k} coarse{solver}"
        return f"{self.scheme.name} = {self.scheme.expression}{weights}, {coarse}: {self.M._summary}"

    def _matmat(self, x: Array) -> Array:
        return self._product(x)

    def _rmatmat(self, y: Array) -> Array:
        return self.formula.H._matmat(y)


def two_level(
    A: Any,
    M: Any,
    Z: Any,
    scheme: str,
    *,
    weights: tuple[float, float] | None = None,
    coarse_solver: Any = None,
) -> TwoLevel:
    """Combine a preconditioner M ≈ A⁻¹ with the coarse correction Q = Z E⁻¹ Zᴴ, E = Zᴴ A Z; P = I - A Q.

    ============================  ==========  ============  =================================
    scheme                        operator    self-adjoint  solver
    ============================  ==========  ============  =================================
    "AD" or "additive"            M + Q       yes           `cg`
    "BNN" or "balanced"           Pᴴ M P + Q  yes           `cg`
    "A-DEF1" or "deflated"        M P + Q     no            `gmres`
    "A-DEF2" or "multiplicative"  Pᴴ M + Q    no            `deflated_cg`, or one application
    "DEF1", "DEF2", "R-BNN2"      M P, Pᴴ M   no            `deflated_cg`
    "R-BNN1"                      Pᴴ M P      yes           `deflated_cg`
    ============================  ==========  ============  =================================

    Set-up costs one product with A for each column of Z, or Uᴴ Z for A = U Uᴴ / n + λ I. An application costs one
    with M, and beyond it: AD nothing of size p², A-DEF1 and A-DEF2 half a product with A, BNN one.

    A coarse solver S ≈ E⁻¹ stands in for the inverse of E: a two-level method again makes three levels. AD, A-DEF2 and
    BNN bear an inexact S, and AD and BNN stay positive definite with any psd S; DEF1 and DEF2 rely on an exact one.

    Args:
        A: the operator of the system (p, p), self-adjoint and positive definite, damping included.
        M: an operator (p, p) that approximates A⁻¹.
        Z: an operator or array (p, k) whose columns span the coarse space.
        scheme: a name of the table.
        weights: (w₁, w₂), positive, for w₁ M + w₂ Q; of AD alone.
        coarse_solver: S as an operator or array (k, k), or a function that makes it of E; E is inverted if None.

    Raises:
        ValueError: the scheme is unknown, the shapes or kinds do not fit, A is known not to be psd, or the weights
            are not positive or not for this scheme.

    >>> import numpy as np
    >>> two_level(np.diag([1.0, 2.0, 4.0]), np.eye(3), np.ones((3, 1)), "additive") @ np.ones(3)
    array([1.42857143, 1.42857143, 1.42857143])

    Three levels: Z₁ takes pairs together, Z₂ pairs of pairs.

    >>> A, M, Z = np.diag(np.arange(1.0, 9.0)), np.diag(np.ones(8)), np.kron(np.eye(4), np.ones((2, 1)))
    >>> def coarse_solver(E):
    ...     return two_level(E, np.diag(1 / E.diagonal()), np.kron(np.eye(2), np.ones((2, 1))), "BNN")
    >>> two_level(A, M, Z, "BNN", coarse_solver=coarse_solver)
    TwoLevel(8×8, float64, self-adjoint: BNN = Pᴴ M P + Q, 4 coarse by TwoLevel(4×4): Dense(8×8))

    Source: Tang, Nabben, Vuik, Erlangga, J. Sci. Comput. 39 (2009), table 1; the aliases are those of PETSc's PCHPDDM.
    """
    entry = scheme_named(scheme)
    A, M, Z = rules.wrap(A), rules.wrap(M), as_columns(Z)
    if A.shape[0] != A.shape[1] or M.shape != A.shape or Z.shape[0] != A.shape[0]:
        raise ValueError(f"two_level takes A (p, p), M (p, p) and Z (p, k), not {A.shape}, {M.shape} and {Z.shape}")
    if weights is not None:
        weights = checked_weights(weights)
        if not entry.weighted:
            raise ValueError(f"{entry.name} = {entry.expression} takes no weights: only AD adds two independent terms")
    A, M, Z = promote("a two-level method", A, M, Z)
    return TwoLevel(A, M, Z, coarse_solver, scheme=entry.name, weights=weights)


@rules.adjoint.register(TwoLevel)
def adjoint_of_two_level(a: TwoLevel) -> Operator:
    """The scheme that the table pairs with it, for self-adjoint A, M and coarse solves."""
    if not (a.A.is_self_adjoint and a.M.is_self_adjoint and a.coarse.E_inverse.is_self_adjoint):
        return NotImplemented
    return a if a.scheme.self_adjoint else a.with_scheme(a.scheme.adjoint)
