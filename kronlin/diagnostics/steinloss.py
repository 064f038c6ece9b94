"""The loss of Stein, and whether an operator is positive definite, which it needs."""

from functools import cached_property

from kronlin.algebra import Operator, rules
from kronlin.arrays import real_part, to_numpy
from kronlin.operators import DENSE_LIMIT


class Definiteness:
    """What is known of the signs of the eigenvalues of A and of A + λ I, found from the spectrum where it must be.

    >>> import numpy as np, kronlin as kl
    >>> A = kl.Dense(np.diag([2.0, -1.0]))
    >>> Definiteness("A", A, 0.5).remark
    'A is indefinite (lowest eigenvalue -1), indefinite with λ'
    >>> Definiteness("A", A, 1.5).remark
    'A is indefinite (lowest eigenvalue -1)'
    """

    def __init__(self, name: str, A: Operator, lam: float) -> None:
        self.name = name
        self.A = A
        self.damped = A.damped(lam)
        self.lam = lam

    @cached_property
    def _ends(self) -> tuple[float, float] | None:
        """The lowest eigenvalue, and up to which size one is rounding error; None if the matrix is too large."""
        try:
            values = to_numpy(self.A.eigvalsh())
        except ValueError:
            if self.A.shape[0] <= DENSE_LIMIT:
                raise
            return None
        return float(values[0]), self.A.shape[0] * self.A.kind.eps * float(abs(values).max())

    @cached_property
    def lowest(self) -> float | None:
        """The lowest eigenvalue of A where it is negative beyond rounding."""
        if self.A.is_psd or self._ends is None or self._ends[0] >= -self._ends[1]:
            return None
        return self._ends[0]

    @cached_property
    def lack(self) -> str:
        """What A + λ I is in place of positive definite; empty if it is positive definite."""
        if self.damped.is_pd:
            return ""
        if self.damped.is_psd and self.damped.is_pd is False:
            return "singular"
        if self._ends is None:
            return "too large to tell whether it is definite"
        lowest, rounding = self._ends
        return "" if lowest + self.lam > rounding else "singular" if lowest + self.lam >= -rounding else "indefinite"

    @property
    def remark(self) -> str:
        """What to say of A; empty if there is nothing."""
        if self.lowest is None:
            return f"{self.name} is {self.lack}" if self.lack else ""
        also = f", {self.lack} with λ" if self.lack and self.lam else ""
        return f"{self.name} is indefinite (lowest eigenvalue {self.lowest:.3g}){also}"


def stein_loss(A: Operator, B: Operator) -> float:
    """tr(B⁻¹ A) - log det(B⁻¹ A) - p of positive definite A and B: zero for A = B, positive for all others.

    Costs one inverse, two determinants and the inner product of B⁻¹ and A.
    """
    trace = float(real_part(rules.inner(B.inverse(), A)))
    parts = [trace, -float(A.logdet()), float(B.logdet()), -float(A.shape[0])]
    loss, rounding = sum(parts), 10 * A.kind.eps * sum(map(abs, parts))
    return loss if loss > rounding else 0.0
