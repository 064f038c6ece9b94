"""Woodbury: the inverse, solution and determinant of B + U C Vᴴ, or of B and more such terms, from those of B."""

from functools import reduce
from operator import add

from kronlin.algebra import Operator, Sum, rules
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.properties import PD
from kronlin.arrays import (
    Array,
    NotPositiveDefiniteError,
    SingularMatrixError,
    adjoint,
    cast,
    kind,
    max_abs,
)
from kronlin.operators.dense import Dense
from kronlin.operators.dualupdate import DualUpdate
from kronlin.operators.lowrank import LowRank, congruence, gathered
from kronlin.operators.refinement import refined
from kronlin.operators.spectral import Spectral
from kronlin.operators.updates import CholeskyUpdate, CompressedUpdate, EigenUpdate, LUUpdate, Update, WhitenedUpdate


def split(a: Sum) -> Update | None:
    """Find a low-rank term, all of them as one, whose removal leaves an operator with an inverse; None if none does.

    The system of Woodbury's formula must be the smaller one, so a term with as many columns as rows is left alone.
    """
    terms = gathered(a.terms)
    for place, term in enumerate(terms):
        if not isinstance(term, LowRank) or term.rank >= a.shape[0] or len(terms) < 2:
            continue
        base = reduce(add, [*terms[:place], *terms[place + 1 :]])
        try:
            inverse = base.inverse()
        except (NotPositiveDefiniteError, SingularMatrixError):
            continue
        update = _update(base, inverse, term)
        a._keep("form", f"dual {term.rank}×{term.rank}: {update.form}")
        return update
    return None


def _update(base: Operator, base_inverse: Operator, term: LowRank) -> Update:
    """Choose the form by the r × r system S of the formula of Woodbury.

    Where its entries exceed eps^-½ (7e7 in double, 3e3 in single precision: λ ≪ ‖F‖ in F + λ I) half of the digits or
    more would cancel, beyond what one refinement wins back, and an orthonormal basis is taken in which nothing cancels,
    where there is one: `EigenUpdate`, `CompressedUpdate`, `WhitenedUpdate`. Else S is factored: by Cholesky if B is pd,
    C psd and V = U, by LU if not. A multiple of I and a psd C have `DualUpdate`, which refines on the small side, and
    from a Gram matrix in double precision reaches further.
    """
    left = base_inverse @ term.U
    definite = term.V is term.U and term.C.is_psd is True and base.is_pd is True
    factor = multiple_of_identity(base)
    if definite:
        root = term.C.sqrt()
        if isinstance(factor, int | float):
            gram = term._wide_gram()
            inner = congruence(root._astype(kind(gram)), gram / factor)
        else:
            inner = congruence(root, term._gram_with(base_inverse))
    else:
        right = base_inverse.H @ term.V
        inner = adjoint(term.C.H._matmat(adjoint(rules.gram(term.V, left))))
    cancels = not max_abs(inner) < base.kind.eps**-0.5
    reaches = definite and (kind(inner) != base.kind or not cancels)
    if reaches and isinstance(factor, int | float):
        dual = DualUpdate.find(base, factor, term, root, inner)
        if dual is not None:
            return dual
    for form in (EigenUpdate, CompressedUpdate, WhitenedUpdate) if cancels else ():
        if (found := form.find(base, term)) is not None:
            return found
    system = Dense._make(cast(inner, base.kind) + base.kind.eye(inner.shape[-1]))
    if not definite:
        return LUUpdate(base, base_inverse, left, right, term.C, system)
    system = system._with(PD)
    return CholeskyUpdate(base, base_inverse, left, root, _at_least_one(system) if cancels else system)


def _at_least_one(system: Dense) -> Spectral:
    """S ≥ I in its eigenbasis, with eigenvalues that rounding brought below 1 lifted: never singular."""
    xp, inner = system.kind.xp, system.eigh()
    return Spectral._make(inner.Q, xp.maximum(inner.w, xp.ones_like(inner.w)), rest=0.0)


def _kept_split(a: Sum) -> Update | None:
    return a._once("woodbury", lambda: split(a) or False) or None


@rules.inverse.register(Sum)
def inverse_by_woodbury(a: Sum) -> Operator:
    """(B + U C Vᴴ)⁻¹ = B⁻¹ - L D Rᴴ, again a sum with a low-rank term; a `Spectral` for a multiple of I ≪ U C Uᴴ."""
    update = _kept_split(a)
    return NotImplemented if update is None else update.inverse()


@rules.solve.register(Sum)
def solve_by_woodbury(a: Sum, b: Array) -> Array:
    """Solve, then refine."""
    update = _kept_split(a)
    return NotImplemented if update is None else refined(a, update.solve, b, update.refinements)


@rules.slogdet.register(Sum)
def slogdet_by_determinant_lemma(a: Sum) -> tuple[Array, Array]:
    """det(B + U C Vᴴ) = det(B) det(S)."""
    update = _kept_split(a)
    return NotImplemented if update is None else update.slogdet()
