"""State: the pieces of a preconditioner after a step, each a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kronlin.algebra import Operator
from kronlin.preconditioner._damping import Damping
from kronlin.preconditioner.averages import Averages


@dataclass(frozen=True, eq=False)
class State:
    """What the operator is made of, and the operator.

    `M` and `operator` follow from the other pieces, so that a file need not hold them: M from `blocks` and λ, the
    coarse matrix from F, Z and the same λ.

    >>> from kronlin.curvature import kfac
    >>> State(Averages.start(kfac, None, 0.95), 1.0).made
    {}
    """

    averages: Averages
    lam: Damping
    """λ in all pieces; or one a layer."""
    blocks: Operator | None = None
    """The averaged curvature when it was last inverted."""
    F: Operator | None = None
    """The Fisher matrix of the coarse matrix."""
    Z: Operator | None = None
    """The coarse basis."""
    M: Operator | None = None
    """The inverse of the damped blocks."""
    operator: Operator | None = None
    """M, or the two-level method."""
    made: Mapping[str, int] = field(default_factory=dict)
    """The step at which each piece was made."""
