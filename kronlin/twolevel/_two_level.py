"""TwoLevel: a fine preconditioner and a coarse correction, combined by one of the known schemes."""

from typing import Any

from kronlin.algebra import Operator, Properties, rules
from kronlin.algebra.properties import properties
from kronlin.algebra.structure import promote
from kronlin.arrays import Array
from kronlin.galerkin import Galerkin
from kronlin.twolevel._schemes import SCHEMES, scheme_named


class TwoLevel(Operator):
    """A two-level preconditioner, made by `two_level`; `.formula` is the expression that computes it.

    >>> import numpy as np
    >>> B = two_level(np.diag([1.0, 2.0, 4.0]), np.eye(3), np.ones((3, 1)), "BNN")
    >>> B.coarse.E
    array([[7.]])
    """

    _stackable = False

    def __init__(self, A: Operator, M: Operator, Z: Operator, *, scheme: str) -> None:
        self._bind(A, M, Galerkin(A, Z), scheme)

    def _bind(self, A: Operator, M: Operator, coarse: Galerkin, scheme: str) -> None:
        self.scheme = SCHEMES[scheme]
        self.A, self.M, self.coarse = A, M, coarse
        self.formula = self.scheme.formula(M, coarse)
        self._define(A, M, coarse.Z, shape=A.shape, scheme=scheme)

    def with_scheme(self, scheme: str) -> "TwoLevel":
        """The same A, M and coarse problem, combined by another scheme; nothing is set up again."""
        twin = TwoLevel.__new__(TwoLevel)
        twin._bind(self.A, self.M, self.coarse, scheme_named(scheme).name)
        return twin

    def _derive(self) -> Properties:
        if not self.scheme.self_adjoint:
            return properties(self_adjoint=False)
        if not (self.A.is_psd and self.M.is_psd):
            return properties(self_adjoint=(self.A.is_self_adjoint and self.M.is_self_adjoint) or None)
        if not self.scheme.definite and self.coarse.dropped < self.coarse.k:
            return properties(psd=True, pd=False)
        return properties(psd=True, pd=self.M.is_pd or None)

    @property
    def _note(self) -> str:
        return self.scheme.name

    @property
    def _inside(self) -> str:
        return f"{self.scheme.name} = {self.scheme.expression}, {self.coarse.k} coarse: {self.M._summary}"

    def _matmat(self, x: Array) -> Array:
        return self.formula._matmat(x)

    def _rmatmat(self, y: Array) -> Array:
        return self.formula.H._matmat(y)


def two_level(A: Any, M: Any, Z: Any, scheme: str) -> TwoLevel:
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

    Args:
        A: the operator of the system (p, p), self-adjoint and positive definite, damping included.
        M: an operator (p, p) that approximates A⁻¹.
        Z: an operator or array (p, k) whose columns span the coarse space.
        scheme: a name of the table.

    Raises:
        ValueError: the scheme is unknown, the shapes or kinds do not fit, or A is known not to be psd.

    >>> import numpy as np
    >>> two_level(np.diag([1.0, 2.0, 4.0]), np.eye(3), np.ones((3, 1)), "additive") @ np.ones(3)
    array([1.42857143, 1.42857143, 1.42857143])

    Source: Tang, Nabben, Vuik, Erlangga, J. Sci. Comput. 39 (2009), table 1; the aliases are those of PETSc's PCHPDDM.
    """
    entry = scheme_named(scheme)
    A, M, Z = rules.wrap(A), rules.wrap(M), rules.wrap(Z)
    if A.shape[0] != A.shape[1] or M.shape != A.shape or Z.shape[0] != A.shape[0]:
        raise ValueError(f"two_level takes A (p, p), M (p, p) and Z (p, k), not {A.shape}, {M.shape} and {Z.shape}")
    return TwoLevel(*promote("a two-level method", A, M, Z), scheme=entry.name)


@rules.adjoint.register(TwoLevel)
def adjoint_of_two_level(a: TwoLevel) -> Operator:
    """The scheme that the table pairs with it, for self-adjoint A and M."""
    if not (a.A.is_self_adjoint and a.M.is_self_adjoint):
        return NotImplemented
    return a if a.scheme.self_adjoint else a.with_scheme(a.scheme.adjoint)
