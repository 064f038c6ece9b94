"""AD: add the coarse correction to the fine one."""

from kronlin.algebra import Operator
from kronlin.galerkin import Galerkin
from kronlin.twolevel._schemes import scheme


@scheme("AD", "M + Q", self_adjoint=True, definite=True, adjoint="AD", solver="cg", aliases=("additive",))
def additive(M: Operator, coarse: Galerkin) -> Operator:
    """M + Q."""
    return M + coarse.Q
