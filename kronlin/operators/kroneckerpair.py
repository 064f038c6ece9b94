"""Sums of two Kronecker products: G₁ ⊗ A₁ + G₂ ⊗ A₂ is inverted by diagonalising both terms at once.

With the first term positive definite there are K_g and K_a with K_gᴴ G₁ K_g = I, K_gᴴ G₂ K_g = diag(t), and likewise
K_a, A₁, A₂ and s. For K = K_g ⊗ K_a then Kᴴ (c₁ G₁ ⊗ A₁ + c₂ G₂ ⊗ A₂) K = diag(d) with d = c₁ + c₂ t ⊗ s, so that

    (c₁ G₁ ⊗ A₁ + c₂ G₂ ⊗ A₂)⁻¹ = K diag(1/d) Kᴴ,

and the sum is positive definite exactly if all d are positive: the signs of t and of s alone say nothing. A third
term, such as λ I, cannot in general be made diagonal by the same K.

Source: Martens and Grosse, arXiv 1503.05671, appendix B; Golub and Van Loan, "Matrix Computations" (4th ed.), 8.7.
"""

from math import inf, prod
from typing import NamedTuple

from kronlin.algebra import Operator, Scaled, Sum, rules
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.properties import SELF_ADJOINT
from kronlin.algebra.scaled import Number
from kronlin.arrays import (
    Array,
    NotPositiveDefiniteError,
    SingularMatrixError,
    cast,
    cholesky,
    real_part,
    root_sum_squares,
    solve_triangular,
)
from kronlin.operators.congruence import Congruence
from kronlin.operators.dense import Dense, broken_promise
from kronlin.operators.diagonal import Diagonal
from kronlin.operators.fallback import small_dense
from kronlin.operators.kronecker import Kronecker, outer

MORE_TERMS = (
    " (two Kronecker products can be diagonalised together, more terms cannot: "
    "damp the factors of one product by kronlin.factored_damping(A, lam) instead of adding a multiple of I)"
)
NO_PAIR = (
    " (two Kronecker products can be diagonalised together if their factors are self-adjoint and of equal sizes, and "
    "those of one are positive definite to working precision: damp those of a psd one by "
    "kronlin.factored_damping(A, lam))"
)


class Pair(NamedTuple):
    """K and d of the two products, the size that is rounding in d, and c and M of the positive definite one."""

    basis: Kronecker
    d: Array
    noise: Array
    number: float
    first: Kronecker


class Root(NamedTuple):
    """R in double precision with R A Rᴴ = I for a positive definite A, and a bound on the condition number of A."""

    matrix: Operator
    condition: float


def diagonalise(a: Sum) -> Pair | None:
    """Diagonalise two Kronecker products relative to the better conditioned of them; None if there is no such pair."""
    terms = _two_products(a)
    if terms is None:
        return None
    rooted = [[_root(factor) for factor in product.factors] if c > 0 else [] for c, product in terms]
    roots = [[root for root in each if root is not None] for each in rooted]
    conditions = [prod(root.condition for root in each) if len(each) == 2 else inf for each in roots]
    best = conditions.index(min(conditions))
    if conditions[best] == inf:
        return None
    (c, first), (e, second) = terms[best], terms[1 - best]
    parts = [_together(root, factor) for root, factor in zip(roots[best], second.factors, strict=True)]
    products = e * outer([values for _, values in parts])
    xp = a.kind.xp
    size = c + xp.max(xp.abs(products), axis=-1, keepdims=True)
    certain = e > 0 and second.is_psd
    noise = 0 * size if certain else 10 * max(f.shape[0] for f in first.factors) * a.kind.double.eps * size
    return Pair(Kronecker._make(*(matrix for matrix, _ in parts)), c + products, noise, c, first)


def _two_products(a: Sum) -> list[tuple[float, Kronecker]] | None:
    """The two real multiples of Kronecker products of equal, self-adjoint, factors that make up a sum, or None."""
    found = [_product(term) for term in a.terms]
    shapes = {tuple(factor.shape for factor in product.factors) for _, product in found if product is not None}
    if len(found) != 2 or None in [product for _, product in found] or len(shapes) != 1 or 0 in a.shape:
        return None
    terms = [(c.real, product) for c, product in found if product is not None and not c.imag]
    factors = [factor for _, product in terms for factor in product.factors]
    return terms if len(factors) == 4 and all(factor.is_self_adjoint for factor in factors) else None


def _product(term: Operator) -> tuple[Number, Kronecker | None]:
    """Take a term as c times a Kronecker product."""
    c, base = (term.factor, term.base) if isinstance(term, Scaled) else (1.0, term)
    return c, base if isinstance(base, Kronecker) else None


def _wide(a: Operator) -> Diagonal | Dense:
    """A factor as an array in double precision, on its diagonal where that is all."""
    if isinstance(a, Diagonal) or multiple_of_identity(a) is not None:
        return Diagonal._make(cast(a.diagonal(), a.kind.double))
    return Dense._make(cast(small_dense(a, "the factorisation").array, a.kind.double))


def _root(a: Operator) -> Root | None:
    """L⁻¹ for A = L Lᴴ; None if A is not positive definite to working precision."""
    wide = _wide(a)
    xp, n = wide.kind.xp, a.shape[0]
    if isinstance(wide, Diagonal):
        entries = real_part(wide.entries)
        lowest, largest = xp.min(entries, axis=-1), xp.max(entries, axis=-1)
        ratio = float(xp.min(lowest / xp.where(lowest > 0, largest, xp.ones_like(largest))))
        if ratio <= n * wide.kind.eps:
            return None
        return Root(Diagonal._make(cast(1 / xp.sqrt(entries), wide.kind)), 1 / ratio)
    try:
        lower = cholesky(wide.array)
    except (NotPositiveDefiniteError, SingularMatrixError):
        return None
    inverse = solve_triangular(lower, xp.broadcast_to(wide.kind.eye(n), lower.shape))
    sizes = root_sum_squares(lower, axis=(-2, -1)) * root_sum_squares(inverse, axis=(-2, -1))
    return Root(Dense._make(inverse), float(xp.max(sizes)) ** 2)


def _together(root: Root, a: Operator) -> tuple[Operator, Array]:
    """K = Rᴴ Q and the real s with R A Rᴴ = Q diag(s) Qᴴ; rounding below zero is lifted to zero if A is psd."""
    basis = (root.matrix @ _wide(a) @ root.matrix.H)._with(SELF_ADJOINT).eigh()
    xp, s = a.kind.xp, basis.w
    if a.is_psd:
        slack = 10 * a.shape[0] * a.kind.eps * root.condition * xp.max(xp.abs(s), axis=-1)
        if bool(xp.any(xp.min(s, axis=-1) < -slack)):
            raise NotPositiveDefiniteError(broken_promise(a, "it has a negative eigenvalue"))
        s = xp.where(s > 0, s, xp.zeros_like(s))
    return (root.matrix.H @ basis.Q)._astype(a.kind), s


def _kept_pair(a: Sum) -> Pair | None:
    return a._once("pair", lambda: diagonalise(a) or False) or None


def _require_positive(a: Sum, pair: Pair) -> None:
    """Raise unless every d is positive by more than rounding; name the value and the pair that it belongs to."""
    xp = a.kind.xp
    noise = xp.broadcast_to(pair.noise, pair.d.shape)
    place = int(xp.argmin(xp.reshape(pair.d - noise, (-1,))))
    d, lost = (float(xp.reshape(x, (-1,))[place]) for x in (pair.d, noise))
    if d > lost:
        return
    u, v = divmod(place % a.shape[0], pair.first.factors[1].shape[0])
    finding = f"1 + t_u s_v = {d / pair.number:.3g} at (u, v) = ({u}, {v}), relative to its positive definite term"
    advice = "damp the factors of that term more, or, where the size is small, use A.eigh()"
    if d < -lost:
        raise NotPositiveDefiniteError(f"{a!r} is not positive definite: it has {finding}; {advice}")
    raise SingularMatrixError(f"{a!r} has no inverse: it has {finding}, which is zero to rounding; {advice}")


@rules.inverse.register(Sum, level=1)
def inverse_of_kronecker_pair(a: Sum) -> Operator:
    """K diag(1/d) Kᴴ."""
    pair = _kept_pair(a)
    if pair is None:
        return NotImplemented
    _require_positive(a, pair)
    return Congruence._make(pair.basis, cast(1 / pair.d, a.kind.real))


@rules.solve.register(Sum, level=1)
def solve_kronecker_pair(a: Sum, b: Array) -> Array:
    """Apply the inverse, then refine once, which wins back the digits lost to the condition of K."""
    if _kept_pair(a) is None:
        return NotImplemented
    inverse = a.inverse()
    x = inverse._matmat(b)
    return x + inverse._matmat(b - a._matmat(x))


@rules.slogdet.register(Sum, level=1)
def slogdet_of_kronecker_pair(a: Sum) -> tuple[Array, Array]:
    """det(G₁ ⊗ A₁) ∏ d, of any sign."""
    pair = _kept_pair(a)
    if pair is None:
        return NotImplemented
    outer_part = pair.first.slogdet()
    inner = Diagonal._make(cast(pair.d, a.kind.real)).slogdet()
    return outer_part[0] * inner[0], outer_part[1] + inner[1]


def _why_dense(a: Sum) -> str:
    """Why a sum with two Kronecker products or more is left to the dense method; "" for any other."""
    products = [_product(term)[1] for term in a.terms]
    if len(products) - products.count(None) < 2:
        return ""
    return MORE_TERMS if len(products) > 2 else NO_PAIR


@rules.inverse.register(Sum, level=-1)
def inverse_of_other_kroneckers(a: Sum) -> Operator:
    """The dense one; where it is too large the error says what would help."""
    why = _why_dense(a)
    return small_dense(a, "the inverse", why).inverse() if why else NotImplemented


@rules.slogdet.register(Sum, level=-1)
def slogdet_of_other_kroneckers(a: Sum) -> tuple[Array, Array]:
    """The dense one; where it is too large the error says what would help."""
    why = _why_dense(a)
    return small_dense(a, "the determinant", why).slogdet() if why else NotImplemented
