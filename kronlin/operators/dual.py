"""The dual side of U C Vᴴ: its spectrum, scalars and pseudo-inverse from small Gram matrices of U and V."""

from collections.abc import Callable
from typing import Any

from kronlin.algebra import Operator, Product, Sum, rules
from kronlin.algebra.columns import diagonal_of_outer
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.properties import PSD, SELF_ADJOINT
from kronlin.algebra.structure import no_determinant
from kronlin.arrays import (
    Array,
    SingularMatrixError,
    adjoint,
    cast,
    conj,
    hermitian_part,
    norm_from_grams,
    qr,
    to_numpy,
)
from kronlin.operators.dense import Dense, no_inverse
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.lowrank import LowRank, gathered, is_formable
from kronlin.operators.spectral import Spectral

Thin = tuple[Operator, Array]


def _thin(u: Operator, gram: Callable[[], Array]) -> Thin:
    """U = P K with orthonormal P: by QR; where U is too large to be formed P = U Z t^-½ from UᴴU = Z diag(t) Zᴴ.

    The columns of the latter are orthonormal to eps √(t_max / t) only.
    """
    if is_formable(u):
        p, k = qr(u.to_dense())
        return Dense._make(p), k
    w, z = _without_zeros(Dense._make(gram())._with(PSD).eigh(), u.shape[1])
    t = u.kind.xp.sqrt(w)
    return Product(u, Dense._make(z.to_dense() / t)), t[:, None] * adjoint(z.to_dense())


def _without_zeros(spectrum: Spectral, size: int) -> tuple[Array, Operator]:
    """Eigenvalues above rounding error, and their eigenvectors."""
    values = [float(value) for value in to_numpy(spectrum.w)]
    floor = size * spectrum.kind.eps * max(map(abs, values), default=0.0)
    kept = [i for i, value in enumerate(values) if abs(value) > floor]
    w = spectrum.kind.xp.take(spectrum.w, spectrum.kind.indices(kept), axis=0)
    return w, rules.columns(spectrum.Q, kept)


@rules.eigh.register(LowRank)
def eigh_of_low_rank(a: LowRank) -> Operator:
    """Eigenpairs from the r × r side: with U = P K, PᴴP = I and K C Kᴴ = Y diag(w) Yᴴ, Q = P Y."""
    if not a._has_eigenbasis():
        return NotImplemented
    basis, k = _thin(a.U, a._gram)
    core = Dense._make(hermitian_part(k @ a.C._matmat(adjoint(k))))
    inner = core._with(PSD if a.C.is_psd else SELF_ADJOINT).eigh()
    w, y = (inner.w, inner.Q) if a.batch else _without_zeros(inner, a.rank)
    return Spectral._make(basis @ y, w, rest=0.0)


@rules.pinv.register(LowRank)
def pinv_of_low_rank(a: LowRank) -> Operator:
    """(U C Vᴴ)⁺ = R (K C Nᴴ)⁺ Pᴴ with U = P K and V = R N, P and R orthonormal."""
    if a._has_eigenbasis():
        return a.eigh().pinv()
    if a.rank >= min(a.shape) or (a.batch and not (is_formable(a.U) and is_formable(a.V))):
        return NotImplemented
    left = _thin(a.U, lambda: rules.gram(a.U, a.U))
    right = left if a.V is a.U else _thin(a.V, lambda: rules.gram(a.V, a.V))
    core = Dense._make(left[1] @ a.C._matmat(adjoint(right[1])))
    return LowRank._make(right[0], core.pinv(), left[0])


@rules.power.register(LowRank)
def power_of_low_rank(a: LowRank, p: float) -> Operator:
    """On the eigenvalues, for a self-adjoint one."""
    return a.eigh().power(p) if a._has_eigenbasis() else NotImplemented


@rules.trace.register(LowRank)
def trace_of_low_rank(a: LowRank) -> Array:
    """tr(U C Vᴴ) = tr(C Vᴴ U); c ‖U‖² for U (c I) Uᴴ."""
    factor = multiple_of_identity(a.C)
    if a.V is a.U and factor is not None:
        size = a.U.norm()
        return cast(size * size, a.kind) * factor
    gram = a._gram() if a.V is a.U else rules.gram(a.V, a.U)
    return Dense._make(a.C._matmat(gram)).trace()


@rules.diagonal.register(LowRank)
def diagonal_of_low_rank(a: LowRank) -> Array:
    """Σ_k (U C)_ik conj(v_ik), a few columns at a time; c |U|² 1 for U (c I) Uᴴ."""
    factor = multiple_of_identity(a.C)
    if a.V is a.U and factor is not None:
        return factor * rules.modulus2(a.U)._matmat(a.kind.real.ones(*a.batch, a.rank, 1))[..., 0]
    return diagonal_of_outer(a.U @ a.C, a.V) if a.shape[0] == a.shape[1] else NotImplemented


@rules.norm.register(LowRank)
def norm_of_low_rank(a: LowRank) -> Array:
    """‖U C Vᴴ‖² = tr(Cᴴ UᴴU C VᴴV), unless that is rounding error."""
    if a.rank > min(a.shape) or 0 in a.C.shape:
        return NotImplemented
    left = a._gram() if a.V is a.U else rules.gram(a.U, a.U)
    right = left if a.V is a.U else rules.gram(a.V, a.V)
    found = norm_from_grams(left, a.C.to_dense(), right)
    return NotImplemented if found is None else found


@rules.inner.register(Spectral, LowRank, level=1)
def inner_of_spectral_and_low_rank(a: Spectral, b: LowRank) -> Array:
    """tr(Aᴴ B) = Σ (w - ρ) diag(Qᴴ B Q) + ρ tr B, with Qᴴ B Q again of low rank."""
    if b.rank > DENSE_LIMIT:
        return NotImplemented
    left = a.Q.H @ b.U
    turned = LowRank._make(left, b.C, *(() if b.V is b.U else (a.Q.H @ b.V,)))
    weights = cast(a.w - a.rest, a.kind)
    return a.kind.xp.sum(weights * turned.diagonal(), axis=-1) + a.rest * b.trace()


@rules.inner.register(LowRank, Spectral, level=1)
def inner_of_low_rank_and_spectral(a: LowRank, b: Spectral) -> Array:
    """The conjugate of the other order."""
    return conj(rules.inner(b, a))


@rules.slogdet.register(LowRank)
def slogdet_of_low_rank(a: LowRank) -> tuple[Array, Array]:
    """Fewer columns than rows: the determinant is 0."""
    if a.rank >= a.shape[0]:
        return NotImplemented
    return no_determinant(a)


@rules.inverse.register(LowRank)
@rules.solve.register(LowRank)
def low_rank_is_singular(a: LowRank, *_: Any) -> Operator:
    """Fewer columns than rows: no inverse."""
    if a.rank < a.shape[0]:
        raise SingularMatrixError(no_inverse(a, f"its rank is at most {a.rank} of {a.shape[0]}"))
    return NotImplemented


def _low_rank_and_shift(a: Sum) -> tuple[LowRank, complex | float] | None:
    """The low-rank terms of a sum as one, and c where c I is all that stands beside them; None for other sums."""
    terms = gathered(a.terms)
    low = [term for term in terms if isinstance(term, LowRank)]
    others = [term for term in terms if not isinstance(term, LowRank)]
    if len(low) != 1 or len(others) > 1:
        return None
    c = multiple_of_identity(others[0]) if others else 0.0
    return None if c is None else (low[0], c)


def _spectrum_of_shifted(a: Sum) -> Spectral | None:
    """A + c I has the eigenvectors of A: of a low-rank A, known on both sides of its range."""
    found = _low_rank_and_shift(a)
    if found is None or found[1].imag or not found[0]._has_eigenbasis():
        return None
    spectrum: Spectral = rules.shift(found[0].eigh(), found[1])
    return spectrum


@rules.eigh.register(Sum)
def eigh_of_shifted_low_rank(a: Sum) -> Operator:
    """U C Uᴴ + c I = Q diag(w + c) Qᴴ + c (I - Q Qᴴ)."""
    spectrum = _spectrum_of_shifted(a)
    return NotImplemented if spectrum is None else spectrum


@rules.power.register(Sum)
def power_of_shifted_low_rank(a: Sum, p: float) -> Operator:
    """On the eigenvalues w + c and c."""
    spectrum = _spectrum_of_shifted(a)
    return NotImplemented if spectrum is None else spectrum.power(p)


@rules.pinv.register(Sum)
def pinv_of_low_rank_sum(a: Sum) -> Operator:
    """Of low-rank terms alone, taken as one."""
    found = _low_rank_and_shift(a)
    return NotImplemented if found is None or found[1] else found[0].pinv()
