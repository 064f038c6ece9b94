"""The structured operators: one structure a file, with all of its rules."""

from kronlin.operators import woodbury  # noqa: F401  registers the rules of low-rank updates
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.dense import Dense
from kronlin.operators.diagonal import Diagonal
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.function import Function
from kronlin.operators.interop import Foreign, aslinearoperator
from kronlin.operators.khatrirao import KhatriRao
from kronlin.operators.kronecker import Kronecker
from kronlin.operators.lowrank import LowRank
from kronlin.operators.sparse import Sparse
from kronlin.operators.sparseinverse import SparseInverse
from kronlin.operators.spectral import Spectral
from kronlin.operators.stacks import HStack, VStack

__all__ = [
    "DENSE_LIMIT",
    "BlockDiagonal",
    "Dense",
    "Diagonal",
    "Foreign",
    "Function",
    "HStack",
    "KhatriRao",
    "Kronecker",
    "LowRank",
    "Sparse",
    "SparseInverse",
    "Spectral",
    "VStack",
    "aslinearoperator",
]
