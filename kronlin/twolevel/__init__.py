"""Two-level preconditioners: a fine preconditioner and a coarse correction, each scheme as its formula."""

from kronlin.galerkin import Galerkin
from kronlin.twolevel import _adapted, _additive, _balancing, _deflation  # noqa: F401  each enters its schemes
from kronlin.twolevel._galerkin_step import galerkin_step
from kronlin.twolevel._tselepidis import tselepidis
from kronlin.twolevel._two_level import TwoLevel, two_level

__all__ = ["Galerkin", "TwoLevel", "galerkin_step", "tselepidis", "two_level"]
