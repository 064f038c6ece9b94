"""State: the pieces of a preconditioner after a step, each a value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kronlin.algebra import Operator
from kronlin.arrays import kind
from kronlin.curvature import LayerStatistics
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

    def require_same_net(self, layers: Sequence[LayerStatistics]) -> None:
        """Refuse layers that cannot belong to the curvature so far.

        Raises:
            ValueError: they have another number of parameters, or are of another kind.
        """
        if self.operator is None:
            return
        p, own = sum(layer.parameters for layer in layers), kind(layers[0].inputs)
        if p != self.operator.shape[0] or own != self.operator.kind:
            raise ValueError(
                f"the layers have {p} parameters and are {own}, and the curvature so far has {self.operator.shape[0]} "
                f"and is {self.operator.kind}: one preconditioner serves one net"
            )
