"""The dual side of U C Vᴴ: its spectrum, scalars and pseudo-inverse from small Gram matrices of U and V."""

from typing import Any

from kronlin.algebra import Operator, Product, Sum, rules
from kronlin.algebra.columns import diagonal_of_outer
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.properties import PSD
from kronlin.arrays import Array, SingularMatrixError, adjoint, hermitian_part, root_trace, to_numpy
from kronlin.operators.dense import Dense, no_inverse
from kronlin.operators.lowrank import LowRank, congruence
from kronlin.operators.spectral import Spectral


def _kept_columns(spectrum: Spectral, scale: int) -> tuple[Array, Array]:
    """Eigenvalues above rounding error, and their eigenvectors as an array."""
    values = [float(value) for value in to_numpy(spectrum.w)]
    floor = scale * spectrum.kind.eps * max(map(abs, values), default=0.0)
    kept = [i for i, value in enumerate(values) if abs(value) > floor]
    w = spectrum.kind.xp.take(spectrum.w, spectrum.kind.indices(kept), axis=0)
    return w, rules.columns(spectrum.Q, kept).to_dense()


def _orthonormal(u: Operator, gram: Array) -> tuple[Array, Array]:
    """X and Y such that U X has orthonormal columns and U = (U X) Yᴴ, from T = Uᴴ U cut off at its numerical rank."""
    t, v = _kept_columns(Dense._make(gram)._with(PSD).eigh(), u.shape[1])
    root = u.kind.xp.sqrt(t)
    return v / root, v * root


@rules.eigh.register(LowRank)
def eigh_of_low_rank(a: LowRank) -> Operator:
    """Eigenpairs from the dual side: with C = R Rᴴ and Rᴴ Uᴴ U R = V diag(w) Vᴴ, Q = U R V diag(w)^-½."""
    if a.V is not a.U or not a.C.is_self_adjoint or a.rank >= a.shape[0] or a.batch:
        return NotImplemented
    xp = a.kind.xp
    if a.C.is_psd:
        root = a.C.sqrt()
        w, v = _kept_columns(Dense._make(congruence(root, a._gram()))._with(PSD).eigh(), a.rank)
        return Spectral._make(Product(a.U, Dense._make(root._matmat(v) / xp.sqrt(w))), w, rest=0.0)
    x, y = _orthonormal(a.U, a._gram())
    w, v = _kept_columns(Dense._make(hermitian_part(adjoint(y) @ a.C._matmat(y))).eigh(), a.rank)
    return Spectral._make(Product(a.U, Dense._make(x @ v)), w, rest=0.0)


@rules.pinv.register(LowRank)
def pinv_of_low_rank(a: LowRank) -> Operator:
    """(U C Vᴴ)⁺ = V X (Yᴴ C Z)⁺ Wᴴ Uᴴ, with orthonormal U W and V X, U = (U W) Yᴴ and V = (V X) Zᴴ."""
    if a.rank >= min(a.shape) or a.batch:
        return NotImplemented
    if a.V is a.U and a.C.is_self_adjoint:
        return a.eigh().pinv()
    w, y = _orthonormal(a.U, rules.gram(a.U, a.U))
    x, z = _orthonormal(a.V, rules.gram(a.V, a.V))
    core = Dense._make(adjoint(y) @ a.C._matmat(z)).pinv()
    return LowRank._make(a.V @ Dense._make(x), core, a.U @ Dense._make(w))


@rules.power.register(LowRank)
def power_of_low_rank(a: LowRank, p: float) -> Operator:
    """On the eigenvalues, for a self-adjoint one."""
    tall = a.V is a.U and a.C.is_self_adjoint and a.rank < a.shape[0] and not a.batch
    return a.eigh().power(p) if tall else NotImplemented


@rules.trace.register(LowRank)
def trace_of_low_rank(a: LowRank) -> Array:
    """tr(U C Vᴴ) = tr(C Vᴴ U); c ‖U‖² for U (c I) Uᴴ."""
    factor = multiple_of_identity(a.C)
    if a.V is a.U and factor is not None:
        return factor * a.U.norm() ** 2
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
    """‖U C Vᴴ‖² = tr(Cᴴ Uᴴ U C Vᴴ V)."""
    if a.rank > min(a.shape):
        return NotImplemented
    left = a._gram() if a.V is a.U else rules.gram(a.U, a.U)
    right = left if a.V is a.U else rules.gram(a.V, a.V)
    return root_trace(congruence(a.C, left), right)


@rules.slogdet.register(LowRank)
def slogdet_of_low_rank(a: LowRank) -> tuple[Array, Array]:
    """Fewer columns than rows: the determinant is 0."""
    if a.rank >= a.shape[0]:
        return NotImplemented
    return a.kind.zeros(*a.batch), a.kind.real.zeros(*a.batch) - float("inf")


@rules.inverse.register(LowRank)
@rules.solve.register(LowRank)
def low_rank_is_singular(a: LowRank, *_: Any) -> Operator:
    """Fewer columns than rows: no inverse."""
    if a.rank < a.shape[0]:
        raise SingularMatrixError(no_inverse(a, f"its rank is at most {a.rank} of {a.shape[0]}"))
    return NotImplemented


def _spectrum_of_shifted(a: Sum) -> Spectral | None:
    """A + c I has the eigenvectors of A: of a low-rank A, known on both sides of its range."""
    if len(a.terms) != 2:
        return None
    for term, other in (a.terms, a.terms[::-1]):
        c = multiple_of_identity(other)
        small = isinstance(term, LowRank) and term.rank < a.shape[0] and not a.batch
        if small and c is not None and not c.imag and a.is_self_adjoint:
            spectrum = term.eigh()
            return rules.shift(spectrum, c) if isinstance(spectrum, Spectral) else None
    return None


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
