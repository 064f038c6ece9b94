"""Curvature: per-layer statistics, the exact Fisher matrix, and its block and Kronecker-factored approximations."""

from kronlin.curvature import rootgram  # noqa: F401  registers rules
from kronlin.curvature._bfgs import InverseUpdate, double_damping, inverse_bfgs, powell_damping
from kronlin.curvature._diagonal_fisher import diagonal_fisher
from kronlin.curvature._ekfac import ekfac
from kronlin.curvature._factored_damping import factored_damping
from kronlin.curvature._fisher import block_diagonal_fisher, fisher
from kronlin.curvature._foof import foof
from kronlin.curvature._kfac import kfac
from kronlin.curvature._kfac_corrected import kfac_corrected
from kronlin.curvature._kfac_pinn import kfac_pinn
from kronlin.curvature._kl_clip import kl_clip
from kronlin.curvature._kpsvd import kpsvd
from kronlin.curvature._mini_block_fisher import mini_block_fisher
from kronlin.curvature._nearest import nearest_kronecker
from kronlin.curvature._per_factor_damping import per_factor_damping
from kronlin.curvature._quadratic_model import quadratic_model, reduction_ratio
from kronlin.curvature._rescale_step import rescale_step
from kronlin.curvature._rotate import rotate
from kronlin.curvature._shampoo import shampoo
from kronlin.curvature._stream import stream
from kronlin.curvature._tikhonov_damping import tikhonov_damping
from kronlin.curvature._tkfac import tkfac
from kronlin.curvature._tridiagonal_kfac import tridiagonal_kfac
from kronlin.curvature.averaging import RunningAverage
from kronlin.curvature.kbfgs import KBFGS
from kronlin.curvature.kbfgsfactors import KBFGSFactors
from kronlin.curvature.layout import ParameterLayout
from kronlin.curvature.levenbergmarquardt import LevenbergMarquardt
from kronlin.curvature.rearrangement import Rearrangement
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics

__all__ = [
    "FisherRoot",
    "InverseUpdate",
    "KBFGS",
    "KBFGSFactors",
    "LayerStatistics",
    "ParameterLayout",
    "LevenbergMarquardt",
    "Rearrangement",
    "RunningAverage",
    "block_diagonal_fisher",
    "diagonal_fisher",
    "double_damping",
    "ekfac",
    "factored_damping",
    "fisher",
    "inverse_bfgs",
    "foof",
    "kfac",
    "kfac_corrected",
    "kfac_pinn",
    "kpsvd",
    "mini_block_fisher",
    "nearest_kronecker",
    "powell_damping",
    "per_factor_damping",
    "shampoo",
    "tikhonov_damping",
    "kl_clip",
    "quadratic_model",
    "reduction_ratio",
    "rescale_step",
    "rotate",
    "stream",
    "tkfac",
    "tridiagonal_kfac",
]
