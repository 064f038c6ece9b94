"""DEF1 and DEF2: project the coarse space out, and leave its part of the solution to the solver."""

from kronlin.algebra import Operator
from kronlin.galerkin import Galerkin
from kronlin.twolevel._schemes import scheme


@scheme("DEF1", "M P", self_adjoint=False, definite=False, adjoint="DEF2", solver="deflated_cg")
def deflation_before(M: Operator, coarse: Galerkin) -> Operator:
    """M P."""
    return M @ coarse.P


@scheme("DEF2", "Pᴴ M", self_adjoint=False, definite=False, adjoint="DEF1", solver="deflated_cg")
def deflation_after(M: Operator, coarse: Galerkin) -> Operator:
    """Pᴴ M."""
    return coarse.P.H @ M
