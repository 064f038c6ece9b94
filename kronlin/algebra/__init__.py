"""The algebra: the abstract operator, its lazy sums and products, and the open rules that keep structure."""

from kronlin.algebra import rules
from kronlin.algebra._tree import Tree, tree
from kronlin.algebra.adjoint import Adjoint, Conjugate
from kronlin.algebra.identity import Identity
from kronlin.algebra.operator import Operator, assume, scalar
from kronlin.algebra.product import Product
from kronlin.algebra.properties import Properties
from kronlin.algebra.scaled import Scaled
from kronlin.algebra.sum import Sum
from kronlin.algebra.zero import Zero

__all__ = [
    "Adjoint",
    "Conjugate",
    "Identity",
    "Operator",
    "Product",
    "Properties",
    "Scaled",
    "Sum",
    "Tree",
    "Zero",
    "assume",
    "rules",
    "scalar",
    "tree",
]
