"""The rearrangement R of a matrix A, with R[(i, j), (k, l)] = A[(i, k), (j, l)] for i < m₁, j < n₁, k < m₂, l < n₂.

It takes Kronecker products to matrices of rank one: G ⊗ A becomes vec(G) vec(A)ᵀ, for G of shape (m₁, n₁) and A of
shape (m₂, n₂). It only moves entries, so it keeps the Frobenius norm, and the nearest sum of Kronecker products is
the nearest matrix of low rank.

Source: Van Loan and Pitsianis, "Approximation with Kronecker products" (1993).
"""

from kronlin.algebra import Operator, Scaled, Sum, rules
from kronlin.arrays import Array, conj
from kronlin.operators.dense import Dense
from kronlin.operators.fallback import small_dense
from kronlin.operators.kronecker import Kronecker
from kronlin.operators.lowrank import LowRank

Shapes = tuple[tuple[int, int], tuple[int, int]]


@rules.rearrange.register(Dense)
def rearrange_dense(a: Dense, shapes: Shapes) -> Operator:
    """Regroup the axes (i, k, j, l) to (i, j, k, l)."""
    (m1, n1), (m2, n2) = shapes
    xp, batch = a.kind.xp, a.batch
    b = len(batch)
    cut = xp.reshape(a.array, (*batch, m1, m2, n1, n2))
    cut = xp.permute_dims(cut, (*range(b), b, b + 2, b + 1, b + 3))
    return Dense._make(xp.reshape(cut, (*batch, m1 * n1, m2 * n2)))


@rules.rearrange.register(Kronecker)
def rearrange_kronecker(a: Kronecker, shapes: Shapes) -> Operator:
    """G ⊗ A becomes vec(G) vec(A)ᵀ, where the factors have the wanted shapes."""
    if [factor.shape for factor in a.factors] != list(shapes):
        return NotImplemented
    left, right = (_column(factor) for factor in a.factors)
    return LowRank(left, V=conj(right)) if not a.batch else NotImplemented


def _column(a: Operator) -> Array:
    """vec(A) as an array (entries, 1)."""
    return a.kind.xp.reshape(a.to_dense(), (a.shape[0] * a.shape[1], 1))


@rules.rearrange.register(Scaled)
def rearrange_scaled(a: Scaled, shapes: Shapes) -> Operator:
    """It is linear."""
    return rules.scale(rules.rearrange(a.base, shapes), a.factor)


@rules.rearrange.register(Sum)
def rearrange_sum(a: Sum, shapes: Shapes) -> Operator:
    """Term by term."""
    first, *others = (rules.rearrange(term, shapes) for term in a.terms)
    return sum(others, first)


@rules.rearrange.register(Operator)
def rearrange_by_dense(a: Operator, shapes: Shapes) -> Operator:
    """Regroup the array."""
    return rules.rearrange(small_dense(a, "the rearrangement"), shapes)
