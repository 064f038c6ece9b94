"""The algebra: the abstract operator, its lazy sums and products, and the open rules that keep structure."""

from kronlin.algebra import rules
from kronlin.algebra._replay import replay
from kronlin.algebra._tree import Tree, tree
from kronlin.algebra.adjoint import Adjoint
from kronlin.algebra.conjugate import Conjugate
from kronlin.algebra.identity import Identity
from kronlin.algebra.operator import Operator, assume, scalar
from kronlin.algebra.power import Power
from kronlin.algebra.product import Product
from kronlin.algebra.properties import Properties
from kronlin.algebra.scaled import Scaled
from kronlin.algebra.sum import Sum
from kronlin.algebra.transpose import Transpose
from kronlin.algebra.zero import Zero

__all__ = [
    "Adjoint",
    "Conjugate",
    "Identity",
    "Operator",
    "Power",
    "Product",
    "Properties",
    "Scaled",
    "Sum",
    "Transpose",
    "Tree",
    "Zero",
    "assume",
    "replay",
    "rules",
    "scalar",
    "tree",
]
