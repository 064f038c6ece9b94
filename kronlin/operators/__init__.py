"""The structured operators: one structure a file, with all of its rules."""

from kronlin.operators import kroneckerpair, woodbury  # noqa: F401  they register the rules of sums
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.congruence import Congruence
from kronlin.operators.dense import Dense
from kronlin.operators.diagonal import Diagonal
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.function import Function
from kronlin.operators.khatrirao import KhatriRao
from kronlin.operators.kronecker import Kronecker
from kronlin.operators.kroneckersum import KroneckerSum
from kronlin.operators.lowrank import LowRank
from kronlin.operators.spectral import Spectral
from kronlin.operators.stacks import HStack, VStack

__all__ = [
    "DENSE_LIMIT",
    "BlockDiagonal",
    "Congruence",
    "Dense",
    "Diagonal",
    "Function",
    "HStack",
    "KhatriRao",
    "Kronecker",
    "KroneckerSum",
    "LowRank",
    "Spectral",
    "VStack",
]
