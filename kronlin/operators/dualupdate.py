"""DualUpdate: the inverse of c I + U C Uᴴ from a small system of the Gram matrix UᴴU, refined on the small side."""

from functools import cached_property, reduce
from operator import add

from kronlin.algebra import Operator, rules
from kronlin.algebra.properties import PD
from kronlin.arrays import (
    Array,
    Kind,
    abs2,
    cast,
    conj,
    hermitian_part,
    inverse_general,
    kind,
    max_abs,
    real_part,
    root_sum_squares,
)
from kronlin.operators.dense import Dense
from kronlin.operators.lowrank import LowRank
from kronlin.operators.updates import EigenUpdate, Update, product_of

_ENOUGH = 1 / 2
"""Where two terms cancel to no less than this share, one bit at most is lost."""

_MOST = 3
"""Corrections that are worth their products."""

_PIECE = 2**15
"""So many numbers are taken to double precision at a time: they stay in the cache."""


class DualUpdate(Update):
    """x = (b - U R y) / c with S y = d for d = RᴴUᴴb, C / c = R Rᴴ, c > 0, S = I + N and N = RᴴUᴴU R.

    A solution costs one product with U and one with Uᴴ. S is inverted once, in double precision, so that
    further solutions are products of one library, whose threads then meet no other's. Where b is nearly in the range
    of U the two terms cancel, which ‖b‖, y and d tell. Then c RᴴUᴴx, which would be y, shows what is missing, at the
    cost of a product with Uᴴ, and S what to add, at that of one with U: half the cost of a residual b - A x and a
    solution for it. The same is done for every b where half of the digits or more would be lost, ‖N‖ > eps^-½.
    """

    form = "inverse by LU"
    refinements = 0

    def __init__(
        self, base: Operator, c: float, term: LowRank, core_root: Operator, inner: Array, corrections: int
    ) -> None:
        self.base, self.c, self.term, self.U, self.core_root = base, c, term, term.U, core_root
        self.kind, self.corrections = base.kind, corrections
        self.root = rules.scale(core_root, c**-0.5)
        self.system = rules.shift(Dense._make(cast(inner, self.kind.double)), 1)._with(PD)
        self.loses = _size(inner) > self.kind.eps**-0.5

    @classmethod
    def find(cls, base: Operator, c: float, term: LowRank, core_root: Operator, inner: Array) -> "DualUpdate | None":
        """The form for N = `inner`; None where it would take too many corrections."""
        corrections = cls.steps(inner, base.kind)
        return cls(base, c, term, core_root, inner, corrections) if corrections else None

    @staticmethod
    def steps(inner: Array, own: Kind) -> int | None:
        """After how many corrections a solution is as good as one of A up to rounding; None if after many.

        An N of the precision of U has errors of eps ‖N‖: a first solution has one of eps ‖N‖, a correction leaves
        eps ‖N‖ of it, and (eps ‖N‖)^(k + 1) ≤ eps is asked for. For an N of higher precision rounding in the products
        with U is what remains: errors of eps ‖N‖^½, of which the residual shows ‖N‖^½, and a correction leaves
        eps ‖N‖^½: ‖N‖ (eps ‖N‖^½)^k ≤ 1 then.
        """
        eps, size, wide = own.eps, _size(inner), kind(inner).eps < own.eps
        powers = [min(2 * k / (k + 2), 1.0) if wide else k / (k + 1) for k in range(1, _MOST + 1)]
        return next((k for k, power in enumerate(powers, 1) if size <= eps**-power), None)

    def solve(self, b: Array) -> Array:
        d = self._inside(b)
        y = self._dual(d)
        rest = b - self._outside(y)
        if self.loses or self._cancels(b, d, y):
            for _ in range(self.corrections):
                missing = self._dual(y - self._inside(rest))
                rest = rest + self._outside(missing)
        return rest / self.c

    def _inside(self, x: Array) -> Array:
        """RᴴUᴴ x, in double precision."""
        return cast(self.root.H._matmat(self.U.H._matmat(x)), self.kind.double)

    def _outside(self, y: Array) -> Array:
        """U R y."""
        return self.U._matmat(self.root._matmat(cast(y, self.kind)))

    @cached_property
    def _inverse(self) -> Dense:
        """S⁻¹, by LU: NumPy has that itself, for the inverse from a Cholesky factor it takes SciPy's threads."""
        return Dense._make(hermitian_part(inverse_general(self.system.array)))._with(PD)

    def _dual(self, d: Array) -> Array:
        """S⁻¹ d by the inverse, with a step of refinement, which makes it as good as by the factor."""
        y = self._inverse._matmat(d)
        return y + self._inverse._matmat(d - self.system._matmat(y))

    def _cancels(self, b: Array, d: Array, y: Array) -> bool:
        """Whether a column of c x is small beside b, or unknown: ‖c x‖² = ‖b‖² - yᴴ(y + d)."""
        xp = self.kind.xp
        whole, taken = _squares(b, self.kind.double), xp.sum(real_part(conj(y) * (y + d)), axis=-2)
        return not bool(xp.all((taken < (1 - _ENOUGH**2) * whole) & xp.isfinite(whole)))

    def inverse(self) -> Operator:
        """Again a sum: I / c - U R S⁻¹Rᴴ Uᴴ / c; for an extreme c with U / c on the left, so that no number is.

        Where half of the digits or more would cancel in it, that of `EigenUpdate`.
        """
        if self.loses and (found := EigenUpdate.find(self.base, self.term)) is not None:
            return found.inverse()
        c, small, reach = self.c, self._inverse._astype(self.kind), float(self.kind.xp.finfo(self.kind.dtype).max)
        if reach**-0.25 < c < reach**0.25:
            return self.base.inverse() - LowRank._make(self.U, rules.scale(self.root @ small @ self.root.H, 1 / c))
        core = self.core_root @ small @ self.core_root.H
        return self.base.inverse() - LowRank._make(rules.scale(self.U, 1 / c), core)

    def slogdet(self) -> tuple[Array, Array]:
        sign, logarithm = self.system.slogdet()
        return product_of(self.base.slogdet(), (cast(sign, self.kind), cast(logarithm, self.kind.real)))


def _size(inner: Array) -> float:
    """‖N‖, the largest of a stack."""
    return max_abs(root_sum_squares(inner, axis=(-2, -1)))


def _squares(b: Array, double: Kind) -> Array:
    """‖b_j‖² for every column, summed in double precision, some rows at a time."""
    n, k = b.shape[-2:]
    rows = max(1, _PIECE // max(1, k))
    parts = (cast(b[..., start : min(start + rows, n), :], double) for start in range(0, n, rows))
    return reduce(add, (double.xp.sum(abs2(part), axis=-2) for part in parts))
