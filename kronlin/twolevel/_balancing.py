"""BNN and its reductions: the fine step between two projections."""

from kronlin.algebra import Operator
from kronlin.galerkin import Galerkin
from kronlin.twolevel._schemes import scheme


@scheme("BNN", "Pᴴ M P + Q", self_adjoint=True, definite=True, adjoint="BNN", solver="cg", aliases=("balanced",))
def balanced(M: Operator, coarse: Galerkin) -> Operator:
    """Pᴴ M P + Q."""
    P = coarse.P
    return P.H @ M @ P + coarse.Q


@scheme("R-BNN1", "Pᴴ M P", self_adjoint=True, definite=False, adjoint="R-BNN1", solver="deflated_cg")
def balanced_without_coarse(M: Operator, coarse: Galerkin) -> Operator:
    """Pᴴ M P."""
    P = coarse.P
    return P.H @ M @ P


@scheme("R-BNN2", "Pᴴ M", self_adjoint=False, definite=False, adjoint="DEF1", solver="deflated_cg")
def balanced_once(M: Operator, coarse: Galerkin) -> Operator:
    """Pᴴ M."""
    return coarse.P.H @ M
