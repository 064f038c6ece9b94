"""kronlin: linear operators for Kronecker-factored curvature, coarse spaces and two-level preconditioners."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kronlin.algebra import Identity, Operator, Zero, assume, replay, tree
from kronlin.arrays import NotPositiveDefiniteError, SingularMatrixError, memory_limit
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

if TYPE_CHECKING:
    from kronlin import coarse, estimate, krylov, sources, testing, training, twolevel
    from kronlin.curvature import (
        KBFGS,
        FisherRoot,
        LayerStatistics,
        LevenbergMarquardt,
        ParameterLayout,
        Rearrangement,
        RunningAverage,
        block_diagonal_fisher,
        diagonal_fisher,
        ekfac,
        factored_damping,
        fisher,
        foof,
        kfac,
        kfac_corrected,
        kfac_pinn,
        kl_clip,
        kpsvd,
        mini_block_fisher,
        nearest_kronecker,
        per_factor_damping,
        quadratic_model,
        reduction_ratio,
        rescale_step,
        rotate,
        shampoo,
        stream,
        tikhonov_damping,
        tkfac,
        tridiagonal_kfac,
    )
    from kronlin.diagnostics import approximation_error, compare
    from kronlin.krylov import cg, condition_number, deflated_cg, eigsh, gmres, minres
    from kronlin.preconditioner import Preconditioner
    from kronlin.storage import FileFormatError, load, save
    from kronlin.twolevel import two_level

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
    "KBFGS",
    "KhatriRao",
    "Kronecker",
    "KroneckerSum",
    "LayerStatistics",
    "LevenbergMarquardt",
    "LowRank",
    "NotPositiveDefiniteError",
    "Operator",
    "ParameterLayout",
    "Permutation",
    "Preconditioner",
    "Rearrangement",
    "RunningAverage",
    "Selection",
    "SingularMatrixError",
    "Spectral",
    "VStack",
    "Zero",
    "approximation_error",
    "aslinearoperator",
    "assume",
    "block_diagonal_fisher",
    "cg",
    "coarse",
    "compare",
    "condition_number",
    "deflated_cg",
    "diagonal_fisher",
    "eigsh",
    "ekfac",
    "estimate",
    "factored_damping",
    "fisher",
    "foof",
    "gmres",
    "kfac",
    "kfac_corrected",
    "kfac_pinn",
    "kl_clip",
    "kpsvd",
    "krylov",
    "load",
    "memory_limit",
    "mini_block_fisher",
    "minres",
    "nearest_kronecker",
    "per_factor_damping",
    "quadratic_model",
    "reduction_ratio",
    "replay",
    "rescale_step",
    "rotate",
    "save",
    "shampoo",
    "sources",
    "stream",
    "testing",
    "tikhonov_damping",
    "tkfac",
    "training",
    "tree",
    "tridiagonal_kfac",
    "two_level",
    "twolevel",
]


_ROOMS = ("coarse", "curvature", "estimate", "krylov", "sources", "testing", "training", "twolevel")
_LATER = {
    "diagnostics": ("approximation_error", "compare"),
    "krylov": ("cg", "condition_number", "deflated_cg", "eigsh", "gmres", "minres"),
    "preconditioner": ("Preconditioner",),
    "storage": ("FileFormatError", "load", "save"),
    "twolevel": ("two_level",),
}
"""Names of rooms that are opened when they are first asked for; the others are those of `kronlin.curvature`."""


def __getattr__(name: str) -> Any:
    """Open the rooms above the operators when they are first asked for: the import stays light."""
    if name in _ROOMS:
        return import_module(f"kronlin.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'kronlin' has no attribute {name!r}")
    room = next((room for room, names in _LATER.items() if name in names), "curvature")
    if room == "storage":  # a file may hold any operator, so the rooms that define some are opened too
        import_module("kronlin.curvature")
        import_module("kronlin.twolevel")
    globals()[name] = getattr(import_module(f"kronlin.{room}"), name)
    return globals()[name]


def __dir__() -> list[str]:
    return __all__
