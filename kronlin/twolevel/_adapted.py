"""A-DEF1 and A-DEF2: correct on the coarse space before, or after, the fine step."""

from kronlin.algebra import Operator
from kronlin.galerkin import Galerkin
from kronlin.twolevel._schemes import scheme


@scheme(
    "A-DEF1",
    "M P + Q",
    self_adjoint=False,
    definite=True,
    adjoint="A-DEF2",
    solver="gmres",
    aliases=("deflated",),
)
def coarse_first(M: Operator, coarse: Galerkin) -> Operator:
    """M P + Q."""
    return M @ coarse.P + coarse.Q


@scheme(
    "A-DEF2",
    "Pᴴ M + Q",
    self_adjoint=False,
    definite=True,
    adjoint="A-DEF1",
    solver="deflated_cg",
    aliases=("multiplicative",),
)
def coarse_last(M: Operator, coarse: Galerkin) -> Operator:
    """Pᴴ M + Q."""
    return coarse.P.H @ M + coarse.Q
