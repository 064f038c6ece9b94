"""AD: add the coarse correction to the fine one, each with a weight."""

from kronlin.algebra import Operator
from kronlin.galerkin import Galerkin
from kronlin.twolevel._schemes import scheme


@scheme(
    "AD", "M + Q", self_adjoint=True, definite=True, adjoint="AD", solver="cg", aliases=("additive",), weighted=True
)
def additive(M: Operator, coarse: Galerkin, w1: float = 1.0, w2: float = 1.0) -> Operator:
    """M + Q.

    With weights w₁ M + w₂ Q.
    """
    return w1 * M + w2 * coarse.Q
