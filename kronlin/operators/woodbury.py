"""Woodbury: the inverse, solution and determinant of B + U C Vᴴ from those of B."""

from functools import reduce
from operator import add
from typing import NamedTuple

from kronlin.algebra import Operator, Sum, rules
from kronlin.algebra.properties import PD
from kronlin.arrays import Array, NotPositiveDefiniteError, SingularMatrixError, adjoint
from kronlin.operators.dense import Dense
from kronlin.operators.lowrank import LowRank, congruence


class Update(NamedTuple):
    """B + U C Vᴴ with what its inverse needs.

    The inverse is B⁻¹ - L D Rᴴ with L = B⁻¹ U, R = B⁻ᴴ V, and D = root S⁻¹ rootᴴ, S = I + rootᴴ Vᴴ L root, in the
    Hermitian case C = root rootᴴ (S ≥ I, so that C may be singular), else D = C S⁻¹ with S = I + Vᴴ L C.
    """

    base: Operator
    base_inverse: Operator
    left: Operator
    right: Operator
    root: Operator | None
    core: Operator
    system: Dense


def split(a: Sum) -> Update | None:
    """Find a low-rank term whose removal leaves an operator with an inverse; None if there is none."""
    for place, term in enumerate(a.terms):
        if not isinstance(term, LowRank) or term.rank >= a.shape[0] or len(a.terms) < 2:
            continue
        base = reduce(add, [*a.terms[:place], *a.terms[place + 1 :]])
        try:
            return _update(base, base.inverse(), term)
        except (NotPositiveDefiniteError, SingularMatrixError):
            continue
    return None


def _update(base: Operator, base_inverse: Operator, term: LowRank) -> Update:
    left = base_inverse @ term.U
    if term.V is term.U and term.C.is_psd and base.is_pd:
        root = term.C.sqrt()
        inner = congruence(root, term._gram_with(base_inverse))
        system = Dense._make(inner + base.kind.eye(inner.shape[-1]))._with(PD)
        return Update(base, base_inverse, left, left, root, term.C, system)
    right = base_inverse.H @ term.V
    gram = rules.gram(term.V, left)
    inner = adjoint(term.C.H._matmat(adjoint(gram)))
    return Update(base, base_inverse, left, right, None, term.C, Dense._make(inner + base.kind.eye(inner.shape[-1])))


def _kept_split(a: Sum) -> Update | None:
    return a._once("woodbury", lambda: split(a) or False) or None


@rules.inverse.register(Sum)
def inverse_by_woodbury(a: Sum) -> Operator:
    """(B + U C Vᴴ)⁻¹ = B⁻¹ - L D Rᴴ, again a sum with a low-rank term."""
    update = _kept_split(a)
    if update is None:
        return NotImplemented
    inner = update.system.inverse()
    if update.root is None:
        return update.base_inverse - LowRank._make(update.left, update.core @ inner, update.right)
    return update.base_inverse - LowRank._make(update.left, update.root @ inner @ update.root.H)


@rules.solve.register(Sum)
def solve_by_woodbury(a: Sum, b: Array) -> Array:
    """Solve with the factored r × r system, then refine once, which wins back the digits lost to cancellation."""
    update = _kept_split(a)
    if update is None:
        return NotImplemented
    x = _apply_inverse(update, b)
    return x + _apply_inverse(update, b - a._matmat(x))


def _apply_inverse(update: Update, b: Array) -> Array:
    inner = update.right.H._matmat(b)
    if update.root is None:
        inner = update.core._matmat(rules.solve(update.system, inner))
    else:
        inner = update.root._matmat(rules.solve(update.system, update.root.H._matmat(inner)))
    return update.base_inverse._matmat(b) - update.left._matmat(inner)


@rules.slogdet.register(Sum)
def slogdet_by_determinant_lemma(a: Sum) -> tuple[Array, Array]:
    """det(B + U C Vᴴ) = det(B) det(S)."""
    update = _kept_split(a)
    if update is None:
        return NotImplemented
    outer, inner = update.base.slogdet(), update.system.slogdet()
    return outer[0] * inner[0], outer[1] + inner[1]
