"""Kronecker: A₁ ⊗ A₂ ⊗ …, never formed."""

from collections.abc import Callable
from functools import reduce
from math import prod
from operator import mul
from typing import Any

from kronlin.algebra import Operator, Properties, rules
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.properties import every, properties
from kronlin.algebra.sidebyside import side_by_side
from kronlin.algebra.structure import common_batch, promote
from kronlin.arrays import Array, SingularMatrixError, balanced, kind, real_part
from kronlin.operators.contractions import contract
from kronlin.operators.dense import no_inverse
from kronlin.operators.diagonal import Diagonal
from kronlin.operators.ownprecision import own_eigh, serves
from kronlin.operators.spectral import Spectral


class Kronecker(Operator):
    """A₁ ⊗ A₂ ⊗ … on row-major vectors: (A ⊗ B) vec(X) = vec(A X Bᵀ).

    A K-FAC block of a weight (d_out, d_in) flattened row by row is `Kronecker(G, A)`. Two square factors of sizes
    m and n cost m n (m + n) multiplications a column; factors are applied in the order with the fewest, a multiple
    of I is not multiplied at all, and a diagonal factor entry by entry.

    Args:
        factors: operators or arrays, rectangular ones too; Kronecker factors are opened.

    Raises:
        ValueError: no factor, an array that is not a finite matrix, or factors of different kinds.

    >>> import numpy as np
    >>> K = Kronecker(np.array([[1.0, 2.0], [0.0, 1.0]]), np.eye(2))
    >>> K @ np.array([1.0, 2.0, 3.0, 4.0])
    array([ 7., 10.,  3.,  4.])

    Source: Van Loan, "The ubiquitous Kronecker product", J. Comput. Appl. Math. 123 (2000), section 2.
    """

    def __init__(self, *factors: Any) -> None:
        if not factors:
            raise ValueError("Kronecker takes at least one factor")
        opened: list[Operator] = []
        for factor in map(rules.wrap, factors):
            opened.extend(factor.factors if isinstance(factor, Kronecker) else [factor])
        self._setup(*promote("a Kronecker product", *opened))

    def _setup(self, *factors: Operator) -> None:
        self.factors = factors
        shape = (prod(f.shape[0] for f in factors), prod(f.shape[1] for f in factors))
        self._define(*factors, shape=shape, batch=common_batch(*factors))
        self._square = all(factor.shape[0] == factor.shape[1] for factor in factors)
        multiples = [multiple_of_identity(factor) for factor in factors]
        self._scalar = prod(c for c in multiples if c is not None)
        self._diagonals = [(i, factor.entries) for i, factor in enumerate(factors) if isinstance(factor, Diagonal)]
        # Fewest operations: i before j if 1/n_i - 1/m_i < 1/n_j - 1/m_j; from the last one where that is a tie.
        costs = [1 / max(f.shape[1], 1) - 1 / max(f.shape[0], 1) for f in factors]
        contracted = [i for i, c in enumerate(multiples) if c is None and not isinstance(factors[i], Diagonal)]
        self._order = sorted(contracted, key=lambda i: (costs[i], -i))

    def _derive(self) -> Properties:
        known = [factor.properties for factor in self.factors]
        if not self._square:
            return Properties()
        return properties(*(every([answers[i] for answers in known]) for i in range(3)))

    @property
    def _lacks_rank(self) -> bool:
        """Whether it is square and singular because its factors are not square: ∏ min(m, n) < ∏ m."""
        return self.shape[0] > 0 and not self._square

    @property
    def _inside(self) -> str:
        return " ⊗ ".join(f"{rows}×{columns}" for rows, columns in (f.shape for f in self.factors))

    @property
    def _summary(self) -> str:
        return f"Kronecker({self._inside})"

    def _matmat(self, x: Array) -> Array:
        """Contract one axis after the other; a single row or column is multiplied out: it is as long as x or A x."""
        if 1 in self.shape:
            vector = self._once("vector", self.to_dense)
            return vector * x if self.shape[1] == 1 else vector @ x
        batch = tuple(x.shape[:-2])
        if self._diagonals:
            x = self._scaled_axes(x, batch)
        x = contract(self.factors, self._order, x, batch)
        return x if self._scalar == 1 else self._scalar * x

    def _scaled_axes(self, x: Array, batch: tuple[int, ...]) -> Array:
        """Multiply with the factors that are diagonal, entry by entry."""
        xp, sizes = self.kind.xp, [*(factor.shape[1] for factor in self.factors), x.shape[-1]]
        table = xp.reshape(x, (*batch, *sizes))
        for i, entries in self._diagonals:
            beside = [size if j == i else 1 for j, size in enumerate(sizes)]
            table = xp.reshape(entries, (*entries.shape[:-1], *beside)) * table
        return xp.reshape(table, x.shape)


def outer(vectors: list[Array], join: Callable[[Array, Array], Array] = mul) -> Array:
    """v₁ ⊗ v₂ ⊗ … of one vector (..., n_i) a factor; with `join=add` the sums of their entries."""
    xp = kind(vectors[0]).xp

    def pair(v: Array, w: Array) -> Array:
        table = join(v[..., :, None], w[..., None, :])
        return xp.reshape(table, (*table.shape[:-2], table.shape[-2] * table.shape[-1]))

    return reduce(pair, balanced(vectors, 1) if join is mul else vectors)


def _only_diagonal(a: Operator) -> bool:
    """Whether A is diagonal, factor by factor."""
    if isinstance(a, Kronecker):
        return all(map(_only_diagonal, a.factors))
    return isinstance(a, Diagonal) or multiple_of_identity(a) is not None


@rules.add.register(Kronecker, Kronecker)
@rules.add.register(Kronecker, Diagonal)
@rules.add.register(Diagonal, Kronecker)
def add_diagonal_kroneckers(a: Operator, b: Operator) -> Operator:
    """Two that are diagonal factor by factor add up to a diagonal."""
    if not (_only_diagonal(a) and _only_diagonal(b)):
        return NotImplemented
    return Diagonal._make(a.diagonal() + b.diagonal())


@rules.compose.register(Kronecker, Kronecker)
def compose_kronecker(a: Kronecker, b: Kronecker) -> Operator:
    """(A ⊗ B) (C ⊗ D) = A C ⊗ B D, where the inner sizes fit, if need be of several factors taken together."""
    groups = _matching(a.factors, b.factors)
    if not groups:
        return NotImplemented
    pairs = [[f[0] if len(f) == 1 else Kronecker._make(*f) for f in group] for group in groups]
    return Kronecker(*(left @ right for left, right in pairs))


def _matching(left: tuple[Operator, ...], right: tuple[Operator, ...]) -> list[tuple[list[Operator], list[Operator]]]:
    """Cut two chains of factors into the shortest groups with equal inner sizes; [] if that is one group of several."""
    if [f.shape[1] for f in left] == [f.shape[0] for f in right]:
        return [([one], [other]) for one, other in zip(left, right, strict=True)]
    groups: list[tuple[list[Operator], list[Operator]]] = []
    waiting, rows, columns = list(right), 1, 1
    for factor in left:
        if rows == columns and waiting:
            groups.append(([], []))
        groups[-1][0].append(factor)
        columns *= factor.shape[1]
        while waiting and (rows < columns or not groups[-1][1]):
            groups[-1][1].append(waiting[0])
            rows *= waiting.pop(0).shape[0]
    groups[-1][1].extend(waiting)
    return groups if rows and len(groups) > 1 else []


@rules.adjoint.register(Kronecker)
def adjoint_of_kronecker(a: Kronecker) -> Operator:
    """(A ⊗ B)ᴴ = Aᴴ ⊗ Bᴴ."""
    return Kronecker._make(*(factor.H for factor in a.factors))


@rules.conjugate.register(Kronecker)
def conjugate_of_kronecker(a: Kronecker) -> Operator:
    """Factor by factor."""
    return Kronecker._make(*(rules.conjugate(factor) for factor in a.factors))


@rules.modulus2.register(Kronecker)
def modulus2_of_kronecker(a: Kronecker) -> Operator:
    """Factor by factor."""
    return Kronecker._make(*(rules.modulus2(factor) for factor in a.factors))


@rules.inverse.register(Kronecker)
def inverse_of_kronecker(a: Kronecker) -> Operator:
    """(A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹; there is none if a factor is not square, for then the rank is below the size."""
    if a._lacks_rank:
        raise SingularMatrixError(no_inverse(a, "factors that are not square cannot have the rank of the whole"))
    if not a._square:
        return NotImplemented
    return Kronecker._make(*side_by_side(lambda factor: factor.inverse(), a.factors))


@rules.pinv.register(Kronecker)
def pinv_of_kronecker(a: Kronecker) -> Operator:
    """(A ⊗ B)⁺ = A⁺ ⊗ B⁺."""
    return Kronecker._make(*side_by_side(lambda factor: factor.pinv(), a.factors))


@rules.solve.register(Kronecker)
def solve_kronecker(a: Kronecker, b: Array) -> Array:
    """Multiply with the factors' inverses."""
    return a.inverse()._matmat(b)


@rules.eigh.register(Kronecker)
def eigh_of_kronecker(a: Kronecker) -> Operator:
    """Eigenvectors Q₁ ⊗ Q₂ with eigenvalues w₁ ⊗ w₂."""
    if not a._square or not all(factor.is_self_adjoint for factor in a.factors):
        return NotImplemented
    parts = side_by_side(lambda factor: factor.eigh(), a.factors)
    return _joined(parts) if _are_complete(parts) else NotImplemented


def _are_complete(parts: list[Any]) -> bool:
    """Whether eigendecompositions leave no complement."""
    return all(isinstance(part, Spectral) and not part.deficit for part in parts)


def _joined(parts: list[Spectral]) -> Spectral:
    return Spectral._make(Kronecker._make(*(part.Q for part in parts)), outer([part.w for part in parts]), rest=0.0)


@rules.power.register(Kronecker)
def power_of_kronecker(a: Kronecker, p: float) -> Operator:
    """(A ⊗ B)ᵖ = Aᵖ ⊗ Bᵖ for psd factors, and for all square ones if p is whole."""
    if not (a._square if isinstance(p, int) else all(factor.is_psd for factor in a.factors)):
        return NotImplemented
    return Kronecker._make(*side_by_side(lambda factor: factor.power(p), a.factors))


@rules.shift.register(Kronecker)
def shift_kronecker(a: Kronecker, c: complex) -> Operator:
    """A ⊗ B + c I in the eigenbasis of the factors, kept for the next c; in their own precision where that serves c."""
    if c.imag or not all(factor.is_self_adjoint for factor in a.factors):
        return NotImplemented
    basis = _own_basis(a, c.real) or a.eigh()
    if not isinstance(basis.Q, Kronecker):
        return NotImplemented
    shifted: Spectral = rules.shift(basis, c)
    # copies, so that the factors do not stay in memory for their diagonals
    diagonals = [a.kind.xp.asarray(real_part(factor.diagonal()), copy=True) for factor in a.factors]
    shifted._alike = Kronecker._make(*map(Diagonal._make, diagonals)), c.real
    return shifted


def _own_basis(a: Kronecker, c: float) -> Spectral | None:
    """The eigendecomposition in the precision of the factors, or None if it serves not, or a better one is there."""
    if a._kept("eigh") is not None or a.kind.double == a.kind or not (a._square and a.shape[0]):
        return None
    parts = side_by_side(own_eigh, a.factors)
    if not (_are_complete(parts) and serves(parts, c)):
        return None
    basis: Spectral = a._once("own eigh", lambda: _joined(parts))
    return basis
