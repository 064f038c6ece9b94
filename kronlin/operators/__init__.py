"""The structured operators: one structure a file, with all of its rules."""

from kronlin.operators import (  # noqa: F401  each registers rules
    blocklu,
    blockproducts,
    dual,
    kroneckerpair,
    kroneckervalues,
    rearranged,
    schur,
    woodbury,
)
from kronlin.operators._chain_covariance import chain_covariance
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.blockmatrix import BlockMatrix
from kronlin.operators.blocktridiagonal import BlockTridiagonal
from kronlin.operators.congruence import Congruence
from kronlin.operators.dense import Dense
from kronlin.operators.diagonal import Diagonal
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.function import Function
from kronlin.operators.interop import Foreign, aslinearoperator
from kronlin.operators.khatrirao import KhatriRao
from kronlin.operators.kronecker import Kronecker
from kronlin.operators.kroneckersum import KroneckerSum
from kronlin.operators.lowrank import LowRank
from kronlin.operators.permutation import Permutation
from kronlin.operators.selection import Selection
from kronlin.operators.sparse import Sparse
from kronlin.operators.sparseinverse import SparseInverse
from kronlin.operators.spectral import Spectral
from kronlin.operators.stacks import HStack, VStack

__all__ = [
    "DENSE_LIMIT",
    "BlockDiagonal",
    "BlockMatrix",
    "BlockTridiagonal",
    "Congruence",
    "Dense",
    "Diagonal",
    "Foreign",
    "Function",
    "HStack",
    "KhatriRao",
    "Kronecker",
    "KroneckerSum",
    "LowRank",
    "Permutation",
    "Selection",
    "Sparse",
    "SparseInverse",
    "Spectral",
    "VStack",
    "aslinearoperator",
    "chain_covariance",
]
