"""L M Lᴴ is what M is, also where a rule has already multiplied L M out."""

from typing import NamedTuple
from weakref import ref

from kronlin.algebra import Operator, Properties
from kronlin.algebra.product import are_adjoints
from kronlin.algebra.properties import UNKNOWN


class Origin(NamedTuple):
    """How a product L M came about; weak, so that it keeps no operator alive."""

    left: ref[Operator]
    left_adjoint: ref[Operator] | None
    promise: Properties


def remember(product: Operator, left: Operator, promise: Properties) -> Operator:
    """Let the product L M, multiplied out, remember L and what L M Lᴴ will be known to be.

    Args:
        product: L M.
        left: L.
        promise: what L M Lᴴ is because of what M is; an answer that is not True is left out.
    """
    promise = promise.promise
    if promise != UNKNOWN:
        partner = left._kept("H")
        product._keep("origin", Origin(ref(left), None if partner is None else ref(partner), promise))
    return product


def recall(product: Operator, right: Operator) -> Properties:
    """Return what is known of `product @ right` if `product` is L M and `right` is Lᴴ, else nothing."""
    origin: Origin | None = product._kept("origin")
    if origin is None:
        return UNKNOWN
    left = origin.left()
    is_adjoint = left is not None and are_adjoints(left, right)
    is_partner = origin.left_adjoint is not None and origin.left_adjoint() is right
    return origin.promise if is_adjoint or is_partner else UNKNOWN
