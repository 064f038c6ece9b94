"""KroneckerSum: A ⊕ B = A ⊗ I + I ⊗ B, never formed."""

from functools import reduce
from math import prod
from operator import add
from typing import Any

from kronlin.algebra import Identity, Operator, Properties, rules
from kronlin.algebra.properties import every, properties
from kronlin.algebra.structure import common_batch, promote
from kronlin.arrays import Array, root_sum_squares
from kronlin.operators.dense import Dense
from kronlin.operators.kronecker import Kronecker, outer
from kronlin.operators.spectral import Spectral


class KroneckerSum(Operator):
    """A₁ ⊕ A₂ ⊕ … on row-major vectors: (A ⊕ B) vec(X) = vec(A X + X Bᵀ).

    A separable operator on a grid: its eigenvectors are those of the factors, its eigenvalues all sums of theirs. Two
    factors of sizes m and n cost m n (m + n) multiplications a column. Inverses, solutions, powers and determinants
    go through the eigenvectors of self-adjoint factors, O(m³ + n³) once; other factors have the dense method only.

    Args:
        factors: square operators or arrays; factors that are Kronecker sums are opened.

    Raises:
        ValueError: no factor, one that is not square or not finite, or factors of different kinds.

    >>> import numpy as np
    >>> laplacian = np.array([[2.0, -1.0], [-1.0, 2.0]])
    >>> A = KroneckerSum(laplacian, laplacian)
    >>> A @ np.ones(4)
    array([2., 2., 2., 2.])
    >>> A.eigvalsh()
    array([2., 4., 4., 6.])

    Source: Horn and Johnson, "Topics in Matrix Analysis" (1991), section 4.4.
    """

    def __init__(self, *factors: Any) -> None:
        if not factors:
            raise ValueError("KroneckerSum takes at least one factor")
        opened: list[Operator] = []
        for factor in map(rules.wrap, factors):
            rows, columns = factor.shape
            if rows != columns:
                raise ValueError(
                    f"KroneckerSum takes square factors, and one is {rows}×{columns}: did you mean Kronecker?"
                )
            opened.extend(factor.factors if isinstance(factor, KroneckerSum) else [factor])
        self._setup(*promote("a Kronecker sum", *opened))

    def _setup(self, *factors: Operator) -> None:
        self.factors = factors
        self.sizes = [factor.shape[0] for factor in factors]
        n = prod(self.sizes)
        self._define(*factors, shape=(n, n), batch=common_batch(*factors))

    @property
    def terms(self) -> list[Kronecker]:
        """The Kronecker products I ⊗ A_i ⊗ I that it is the sum of."""

        def sides() -> list[Kronecker]:
            return [
                Kronecker._make(
                    Identity(prod(self.sizes[:i]), like=self), factor, Identity(prod(self.sizes[i + 1 :]), like=self)
                )
                for i, factor in enumerate(self.factors)
            ]

        terms: list[Kronecker] = self._once("terms", sides)
        return terms

    def _derive(self) -> Properties:
        known = [factor.properties for factor in self.factors]
        psd = every([each.psd for each in known])
        pd = True if psd and any(each.pd for each in known) else None
        return properties(every([each.self_adjoint for each in known]), psd, pd)

    @property
    def _inside(self) -> str:
        return " ⊕ ".join(f"{n}×{n}" for n in self.sizes)

    @property
    def _summary(self) -> str:
        return f"KroneckerSum({self._inside})"

    def _matmat(self, x: Array) -> Array:
        return reduce(add, (term._matmat(x) for term in self.terms))

    def _spectral(self) -> Spectral | None:
        """The eigendecomposition by factors, kept; None if it is not at hand."""
        basis = self.eigh() if all(factor.is_self_adjoint for factor in self.factors) else None
        return basis if isinstance(basis, Spectral) and isinstance(basis.Q, Kronecker) else None

    def prepare(self) -> "KroneckerSum":
        """Decompose self-adjoint factors now."""
        self._spectral()
        return self


@rules.adjoint.register(KroneckerSum)
def adjoint_of_kronecker_sum(a: KroneckerSum) -> Operator:
    """(A ⊕ B)ᴴ = Aᴴ ⊕ Bᴴ."""
    return KroneckerSum._make(*(factor.H for factor in a.factors))


@rules.conjugate.register(KroneckerSum)
def conjugate_of_kronecker_sum(a: KroneckerSum) -> Operator:
    """Factor by factor."""
    return KroneckerSum._make(*(rules.conjugate(factor) for factor in a.factors))


@rules.scale.register(KroneckerSum)
def scale_kronecker_sum(a: KroneckerSum, factor: complex) -> Operator:
    """c (A ⊕ B) = c A ⊕ c B."""
    return KroneckerSum._make(*(rules.scale(each, factor) for each in a.factors))


@rules.shift.register(KroneckerSum)
def shift_kronecker_sum(a: KroneckerSum, c: complex) -> Operator:
    """A ⊕ B + c I = (A + c I) ⊕ B: c goes to the smallest factor, so that the others keep what they have factored."""
    smallest = a.sizes.index(min(a.sizes))
    factors = [factor._shifted(c) if i == smallest else factor for i, factor in enumerate(a.factors)]
    return KroneckerSum._make(*promote("a Kronecker sum", *factors))


@rules.add.register(KroneckerSum, KroneckerSum)
def add_kronecker_sums(a: KroneckerSum, b: KroneckerSum) -> Operator:
    """(A ⊕ B) + (C ⊕ D) = (A + C) ⊕ (B + D), where the sizes agree."""
    if a.sizes != b.sizes:
        return NotImplemented
    return KroneckerSum._make(*(left + right for left, right in zip(a.factors, b.factors, strict=True)))


@rules.eigh.register(KroneckerSum)
def eigh_of_kronecker_sum(a: KroneckerSum) -> Operator:
    """Eigenvectors Q₁ ⊗ Q₂ with eigenvalues w₁ ⊕ w₂, all sums."""
    if not all(factor.is_self_adjoint for factor in a.factors):
        return NotImplemented
    parts = [factor.eigh() for factor in a.factors]
    if any(part.deficit for part in parts):
        return NotImplemented
    return Spectral._make(
        Kronecker._make(*(part.Q for part in parts)), outer([part.w for part in parts], add), rest=0.0
    )


@rules.inverse.register(KroneckerSum)
def inverse_of_kronecker_sum(a: KroneckerSum) -> Operator:
    """(Q₁ ⊗ Q₂) diag(1 / (w₁ ⊕ w₂)) (Q₁ ⊗ Q₂)ᴴ for self-adjoint factors."""
    basis = a._spectral()
    return NotImplemented if basis is None else rules.inverse(basis)


@rules.pinv.register(KroneckerSum)
def pinv_of_kronecker_sum(a: KroneckerSum) -> Operator:
    """In the eigenbasis of self-adjoint factors."""
    basis = a._spectral()
    return NotImplemented if basis is None else basis.pinv()


@rules.power.register(KroneckerSum)
def power_of_kronecker_sum(a: KroneckerSum, p: float) -> Operator:
    """In the eigenbasis of self-adjoint factors."""
    basis = a._spectral()
    return NotImplemented if basis is None else basis.power(p)


@rules.slogdet.register(KroneckerSum)
def slogdet_of_kronecker_sum(a: KroneckerSum) -> tuple[Array, Array]:
    """det(A ⊕ B) = ∏ (w_i + w_j) for self-adjoint factors."""
    basis = a._spectral()
    return NotImplemented if basis is None else basis.slogdet()


@rules.trace.register(KroneckerSum)
def trace_of_kronecker_sum(a: KroneckerSum) -> Array:
    """tr(A ⊕ B) = n tr A + m tr B."""
    return reduce(add, (term.trace() for term in a.terms))


@rules.diagonal.register(KroneckerSum)
def diagonal_of_kronecker_sum(a: KroneckerSum) -> Array:
    """All sums of the factors' diagonals."""
    return outer([factor.diagonal() for factor in a.factors], add)


@rules.norm.register(KroneckerSum)
def norm_of_kronecker_sum(a: KroneckerSum) -> Array:
    """‖A ⊕ B‖² = n ‖off A‖² + m ‖off B‖² + ‖diag(A ⊕ B)‖²: off the diagonal no entry of one meets one of the other."""
    lengths = [root_sum_squares(a.diagonal(), axis=-1)]
    for factor in a.factors:
        repeats = a.shape[0] // max(factor.shape[0], 1)
        lengths.append(_off_diagonal_norm(factor) * repeats**0.5)
    return reduce(a.kind.xp.hypot, lengths)


def _off_diagonal_norm(a: Operator) -> Array:
    """‖A - diag(A)‖; of what is not held entry by entry from ‖A‖ and ‖diag(A)‖."""
    if isinstance(a, Dense):
        return root_sum_squares(a.array * (1 - a.kind.eye(a.shape[0])), axis=(-2, -1))
    xp, whole, diagonal = a.kind.xp, a.norm(), root_sum_squares(a.diagonal(), axis=-1)
    difference = xp.where(whole > diagonal, whole - diagonal, xp.zeros_like(whole))
    return xp.sqrt(difference) * xp.sqrt(whole + diagonal)


@rules.to_dense.register(KroneckerSum)
def kronecker_sum_to_dense(a: KroneckerSum) -> Array:
    """Add the dense terms."""
    return reduce(add, (term.to_dense() for term in a.terms))
