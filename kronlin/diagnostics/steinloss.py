"""The loss of Stein, and whether an operator is positive definite, which it needs."""

from functools import cached_property

import numpy as np

from kronlin.algebra import Operator, rules
from kronlin.arrays import real_part, to_numpy
from kronlin.diagnostics._spectral_ends import spectral_ends
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

    def __init__(self, name: str, A: Operator, lam: float, rtol: float = 1e-3) -> None:
        self.name = name
        self.A = A
        self.damped = A.damped(lam)
        self.lam = lam
        self.rtol = rtol

    @cached_property
    def _spectrum(self) -> tuple[float, float, bool]:
        """The lowest eigenvalue, up to which size one is rounding error, and whether it is sharp.

        Of what is too large to be decomposed it is one from the process of Lanczos: a negative one proves something.
        """
        try:
            values, sharp = to_numpy(self.A.eigvalsh()), True
        except ValueError:
            if self.A.shape[0] <= DENSE_LIMIT:
                raise
            values, sharp = np.asarray(spectral_ends(self.A, self.rtol)), False
        return float(values[0]), self.A.shape[0] * self.A.kind.eps * float(np.max(np.abs(values))), sharp

    @cached_property
    def lowest(self) -> float | None:
        """The lowest eigenvalue of A where it is negative beyond rounding."""
        if self.A.is_psd:
            return None
        lowest, rounding, _ = self._spectrum
        return lowest if lowest < -rounding else None

    @cached_property
    def lack(self) -> str:
        """What A + λ I is in place of positive definite; empty if it is positive definite."""
        if self.damped.is_pd:
            return ""
        if self.damped.is_psd and self.damped.is_pd is False:
            return "singular"
        lowest, rounding, sharp = self._spectrum
        if lowest + self.lam < -rounding:
            return "indefinite"
        if not sharp:
            return "too large to tell whether it is definite"
        return "" if lowest + self.lam > rounding else "singular"

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
