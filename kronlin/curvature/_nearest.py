"""nearest_kronecker: the best sum of Kronecker products, by the singular values of the rearranged matrix."""

from typing import Any

from kronlin.algebra import Operator, assume, rules
from kronlin.arrays import (
    Array,
    Kind,
    adjoint,
    cast,
    conj,
    diagonal_of,
    eigh,
    hermitian_part,
    kind,
    random_normal,
)
from kronlin.curvature.singularpair import SingularPair, Symmetry, hermitian, leading_pair, skew
from kronlin.operators import Dense, Kronecker, LowRank
from kronlin.operators.rearranged import Shapes

SEED = 0
"""Of the start of the first term, one more for each further term, so that the same matrix has the same result."""


def nearest_kronecker(A: Any, shapes: Shapes, rank: int = 1) -> Operator:
    """The sum Σ G_k ⊗ B_k of `rank` Kronecker products that is nearest to A in the Frobenius norm.

    The rearranged matrix R of A has R(G ⊗ B) = vec(G) vec(B)ᵀ, so the terms are its leading singular pairs, and
    ‖A - Σ G_k ⊗ B_k‖² = Σ_{k > rank} σ_k². Both factors of a term have the norm √σ_k and B_k no negative trace.

    The nearest single product of a psd A has psd factors, and is promised to be psd. All further terms of a
    self-adjoint A are self-adjoint, with factors that are self-adjoint both (or, of a real A, skew both); they are
    in general indefinite, and whether the sum is definite is not known. A term that is rounding error beside the
    first one is zero.

    Cost: an array, or another operator of at most 4096 rows, is decomposed, O(M N min(M, N)) a term for R of shape
    (M, N). Of a Fisher block, and of its difference from a Kronecker product, only products with R and Rᴴ are taken,
    one of each a step in the process of Golub and Kahan: some 10 steps for the first term, 15 to 50 for a further one.
    Singular values that 400 steps do not tell apart are so close that either serves.
    All of it is done in double precision where the library has it.

    Args:
        A: operator or array of shape (m₁ m₂, n₁ n₂).
        shapes: ((m₁, n₁), (m₂, n₂)), the shapes of the factors.
        rank: the number of terms.

    Returns:
        A `Kronecker` for one term, a `Sum` of them for more, the largest first.

    Raises:
        ValueError: the shapes do not make up that of A, or rank is below 1 or above the number of singular values.

    >>> import numpy as np, kronlin as kl
    >>> G, B = np.array([[2.0, 1.0], [1.0, 2.0]]), np.eye(3)
    >>> K = kl.nearest_kronecker(kl.assume(np.kron(G, B), "psd"), ((2, 2), (3, 3)))
    >>> K, bool(np.allclose(K.to_dense(), np.kron(G, B)))
    (Kronecker(6×6, float64, psd: 2×2 ⊗ 3×3), True)

    Source: Van Loan and Pitsianis, "Approximation with Kronecker products" (1993).
    """
    A = rules.wrap(A)
    shapes = _checked_shapes(A, shapes)
    (m1, n1), (m2, n2) = shapes
    most = min(m1 * n1, m2 * n2)
    if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= most:
        raise ValueError(
            f"rank must be a whole number from 1 to {most} for factors {m1}×{n1} and {m2}×{n2}, not {rank}"
        )
    terms = nearest_terms(A, shapes, rank)
    return terms[0] if rank == 1 else sum(terms[1:], terms[0])


def nearest_terms(A: Operator, shapes: Shapes, rank: int, noise: float = 0.0) -> list[Operator]:
    """The terms one by one, for arguments that are checked; a singular value up to `noise` counts as zero."""
    R = rules.rearrange(A, shapes)._astype(A.kind.double)
    (m1, n1), (m2, n2) = shapes
    alike = bool(A.is_self_adjoint) and m1 == n1 and m2 == n2
    terms: list[Operator] = []
    for position in range(rank):
        psd = alike and bool(A.is_psd) and position == 0
        pair = _pair(R, _starts(R, n2, alike, psd, SEED + position), noise)
        noise = noise or rounding(R.kind) * pair.sigma
        terms.append(_term(A, pair, shapes, alike, psd))
        if position + 1 < rank:
            R = _without(R, pair)
    return terms


def rounding(own: Kind) -> float:
    """Relative size below which what is left of a matrix is taken for rounding error."""
    return 100 * own.eps


def _checked_shapes(A: Operator, shapes: Any) -> Shapes:
    """Return the shapes as pairs of numbers, or say why they are not those of two factors of A."""
    try:
        (m1, n1), (m2, n2) = shapes
    except (TypeError, ValueError):
        raise ValueError(f"shapes must be ((m1, n1), (m2, n2)), the shapes of both factors, not {shapes!r}") from None
    if min(m1, n1, m2, n2) < 1 or (m1 * m2, n1 * n2) != A.shape:
        rows, columns = A.shape
        raise ValueError(
            f"factors {m1}×{n1} and {m2}×{n2} have a Kronecker product of shape {m1 * m2}×{n1 * n2}, but A is "
            f"{rows}×{columns}: pass ((m1, n1), (m2, n2)) with m1 m2 = {rows} and n1 n2 = {columns}"
        )
    return (int(m1), int(n1)), (int(m2), int(n2))


def _starts(R: Operator, n: int, alike: bool, psd: bool, seed: int) -> list[tuple[Array, Symmetry]]:
    """Where to look for the next pair: a start, and the symmetry of the matrices that are searched.

    No two terms share a start: of a multiple σ the first takes the vector nearest to its start, and all others are
    orthogonal to that.

    The rearranged matrix of a self-adjoint A takes self-adjoint matrices to such ones, and if it is real also skew
    ones to skew ones; that of a psd A takes psd ones to psd ones, and so has its largest σ there.
    """
    if psd:
        return [(R.kind.xp.reshape(R.kind.eye(n), (-1,)), hermitian)]
    start = random_normal(R.kind, (R.shape[1],), seed)
    if not alike:
        return [(start, _any)]
    symmetries = [hermitian] if R.kind.is_complex else [hermitian, skew]
    return [(symmetry(start), symmetry) for symmetry in symmetries]


def _any(x: Array) -> Array:
    """No symmetry."""
    return x


def _pair(R: Operator, starts: list[tuple[Array, Symmetry]], noise: float) -> SingularPair:
    """The largest pair of all symmetries."""
    best = None
    for start, symmetry in starts:
        floor = max(noise, 0.0 if best is None else rounding(R.kind) * best.sigma)
        pair = leading_pair(R, start, symmetry, floor)
        best = pair if best is None or pair.sigma > best.sigma else best
    assert best is not None
    return best


def _without(R: Operator, pair: SingularPair) -> Operator:
    """R - σ u vᴴ; an array stays one."""
    rest = R - LowRank(pair.sigma * pair.u[:, None], V=pair.v[:, None])
    return Dense(rest.to_dense()) if isinstance(R, Dense) else rest


def _term(A: Operator, pair: SingularPair, shapes: Shapes, alike: bool, psd: bool) -> Operator:
    """√σ U ⊗ √σ V̄, of one sign or phase, in the precision of A."""
    xp = A.kind.xp
    G, B = (xp.reshape(x, shape) for x, shape in zip((pair.u, conj(pair.v)), shapes, strict=True))
    trace = xp.sum(diagonal_of(B))
    size = float(xp.abs(trace))
    if size:
        phase = trace / size
        G, B = G * phase, B * (conj(phase) if A.kind.is_complex else phase)
    factors = [cast(pair.sigma**0.5 * (_psd_part(x) if psd else x), A.kind) for x in (G, B)]
    if psd:
        return Kronecker(*(assume(Dense(x), "psd") for x in factors))
    term = Kronecker(*factors)
    return assume(term, "self-adjoint") if alike else term


def _psd_part(x: Array) -> Array:
    """X without what rounding, and all but equal singular values, put below zero or beside it."""
    w, Q = eigh(x)
    floor = 10 * x.shape[0] * kind(x).eps * w[-1]
    lifted = cast(kind(w).xp.where(w > floor, w, kind(w).xp.zeros_like(w)), kind(x))
    return hermitian_part((Q * lifted) @ adjoint(Q))
