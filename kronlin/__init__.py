"""kronlin: linear operators for Kronecker-factored curvature, coarse spaces and two-level preconditioners."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kronlin import coarse, krylov, twolevel
from kronlin.algebra import Identity, Operator, Zero, assume, tree
from kronlin.arrays import NotPositiveDefiniteError, SingularMatrixError
from kronlin.curvature import (
    FisherRoot,
    LayerStatistics,
    Rearrangement,
    block_diagonal_fisher,
    factored_damping,
    fisher,
    kfac,
    kfac_corrected,
    kpsvd,
    nearest_kronecker,
)
from kronlin.diagnostics import compare
from kronlin.krylov import cg, condition_number, deflated_cg, eigsh, gmres, minres
from kronlin.operators import (
    BlockDiagonal,
    BlockMatrix,
    BlockTridiagonal,
    Dense,
    Diagonal,
    Function,
    HStack,
    KhatriRao,
    Kronecker,
    KroneckerSum,
    LowRank,
    Permutation,
    Selection,
    Spectral,
    VStack,
    aslinearoperator,
)
from kronlin.storage import FileFormatError, load, save
from kronlin.twolevel import two_level

if TYPE_CHECKING:
    from kronlin import estimate, sources, testing

__version__ = "0.1.0"

__all__ = [
    "BlockDiagonal",
    "BlockMatrix",
    "BlockTridiagonal",
    "Dense",
    "Diagonal",
    "FileFormatError",
    "FisherRoot",
    "Function",
    "HStack",
    "Identity",
    "KhatriRao",
    "Kronecker",
    "KroneckerSum",
    "LayerStatistics",
    "LowRank",
    "NotPositiveDefiniteError",
    "Operator",
    "Permutation",
    "Rearrangement",
    "Selection",
    "SingularMatrixError",
    "Spectral",
    "VStack",
    "Zero",
    "aslinearoperator",
    "assume",
    "block_diagonal_fisher",
    "cg",
    "coarse",
    "compare",
    "condition_number",
    "deflated_cg",
    "eigsh",
    "estimate",
    "factored_damping",
    "fisher",
    "gmres",
    "kfac",
    "kfac_corrected",
    "kpsvd",
    "krylov",
    "load",
    "minres",
    "nearest_kronecker",
    "save",
    "sources",
    "testing",
    "tree",
    "two_level",
    "twolevel",
]


def __getattr__(name: str) -> Any:
    """Open the rooms that most scripts do not need when they are first asked for."""
    if name in ("estimate", "sources", "testing"):
        return import_module(f"kronlin.{name}")
    raise AttributeError(f"module 'kronlin' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
