"""Krylov solvers: conjugate gradients and its deflated forms, MINRES, GMRES, and the Lanczos process for spectra."""

from kronlin.krylov._cg import cg
from kronlin.krylov._condition import ConditionNumber, condition_number
from kronlin.krylov._deflated_cg import deflated_cg
from kronlin.krylov._eigsh import EigenResult, eigsh
from kronlin.krylov._gmres import gmres
from kronlin.krylov._lanczos import LanczosResult, lanczos
from kronlin.krylov._minres import minres
from kronlin.krylov.result import KrylovResult

__all__ = [
    "ConditionNumber",
    "EigenResult",
    "KrylovResult",
    "LanczosResult",
    "cg",
    "condition_number",
    "deflated_cg",
    "eigsh",
    "gmres",
    "lanczos",
    "minres",
]
