"""LowRank: U C Vᴴ with tall U and V, and what it does to an operator that it is added to."""

from math import prod
from typing import Any

from kronlin.algebra import Adjoint, Identity, Operator, Product, Properties, rules
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.properties import PSD, SELF_ADJOINT, properties
from kronlin.algebra.structure import common_batch, promote
from kronlin.arrays import (
    Array,
    SingularMatrixError,
    adjoint,
    conj,
    hermitian_part,
    kind,
    max_abs,
    qr,
    root_sum_squares,
    to_numpy,
)
from kronlin.operators.dense import Dense, no_inverse
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.spectral import Spectral
from kronlin.operators.stacks import HStack, VStack

_CHUNK = 2**22
"""Numbers in a block of columns of U that is formed and used up."""


class LowRank(Operator):
    """U C Vᴴ for U (m, r), C (r, r), V (n, r), all of them operators or arrays.

    An application costs one product with each of Vᴴ, C and U. Added to an operator with an inverse it is inverted
    by the formula of Woodbury, with an r × r system.

    Args:
        U: the left factor.
        C: the core; I if None. It may be singular.
        V: the right factor; U if None.

    Raises:
        ValueError: the shapes do not fit, or the kinds differ.

    >>> import numpy as np
    >>> A = LowRank(np.array([[1.0], [2.0]])).damped(1.0)
    >>> A.solve(np.array([1.0, 2.0]))
    array([0.16666667, 0.33333333])

    Source: Woodbury, "Inverting modified matrices", Memorandum Report 42, Princeton (1950).
    """

    def __init__(self, U: Any, C: Any = None, V: Any = None) -> None:
        U = rules.wrap(U)
        C = Identity(U.shape[1], like=U) if C is None else rules.wrap(C)
        V = None if V is None or V is U else rules.wrap(V)
        right = U if V is None else V
        if C.shape != (U.shape[1], right.shape[1]):
            raise ValueError(
                f"LowRank takes U (m, r), C (r, r), V (n, r), not {U.shape}, {C.shape}, {right.shape}: "
                f"C would have to be {U.shape[1]}×{right.shape[1]}"
            )
        self._setup(*promote("a low-rank operator", *filter(None, (U, C, V))))

    def _setup(self, U: Operator, C: Operator, V: Operator | None = None) -> None:
        self.U = U
        self.C = C
        self.V = U if V is None else V
        parts = (U, C) if self.V is U else (U, C, self.V)
        self._define(*parts, shape=(U.shape[0], self.V.shape[0]), batch=common_batch(*parts))

    @property
    def rank(self) -> int:
        """The number r of columns, a bound on the rank."""
        return max(self.C.shape)

    @property
    def _inside(self) -> str:
        return f"rank ≤ {self.rank}: {self.U._summary}"

    def _derive(self) -> Properties:
        if self.V is not self.U:
            return Properties()
        known = self.C.properties
        return properties(known.self_adjoint or None, known.psd or None, False if self.rank < self.shape[0] else None)

    def _matmat(self, x: Array) -> Array:
        return self.U._matmat(self.C._matmat(self.V.H._matmat(x)))

    def _gram(self) -> Array:
        """Uᴴ U, kept: every damping needs it."""
        return self._once("gram", lambda: rules.gram(self.U, self.U))

    def _gram_with(self, b: Operator) -> Array:
        """Uᴴ B U; for a multiple of I from the kept Uᴴ U."""
        factor = multiple_of_identity(b)
        return rules.gram(self.U, b @ self.U) if factor is None else factor * self._gram()

    def _has_eigenbasis(self) -> bool:
        """Whether A = U C Uᴴ with C = Cᴴ and fewer columns than rows, so that its eigenvectors are found from U."""
        small = self.V is self.U and self.C.is_self_adjoint is True and self.rank < self.shape[0]
        return small and (not self.batch or is_formable(self.U))

    def prepare(self) -> "LowRank":
        """Form the Gram matrix of U now."""
        if self.V is self.U:
            self._gram()
        return self


def is_formable(a: Operator) -> bool:
    """Whether a tall operator may be formed for a QR factorisation: up to DENSE_LIMIT² numbers."""
    return prod((*a.batch, *a.shape)) <= DENSE_LIMIT**2


def congruence(root: Operator, gram: Array) -> Array:
    """Rᴴ T R of a Hermitian T, Hermitian to the last bit."""
    return hermitian_part(root.H._matmat(adjoint(root.H._matmat(gram))))


@rules.compose.register(Operator, Adjoint, level=-2)
def compose_with_own_adjoint(a: Operator, b: Adjoint) -> Operator:
    """A Aᴴ of a tall A."""
    tall = a.shape[0] >= a.shape[1] and b.base is a
    return LowRank._make(a, Identity(a.shape[1], like=a)) if tall else NotImplemented


@rules.compose.register(VStack, HStack)
def compose_stack_with_own_adjoint(a: VStack, b: HStack) -> Operator:
    """A Aᴴ of a tall stack."""
    tall = a.shape[0] >= a.shape[1] and a._kept("H") is b
    return LowRank._make(a, Identity(a.shape[1], like=a)) if tall else NotImplemented


@rules.compose.register(Adjoint, Operator, level=-1)
def compose_adjoint_with(a: Adjoint, b: Operator) -> Operator:
    """Aᴴ B of two tall operators, formed where a rule of `gram` knows how."""
    tall = max(a.shape[0], b.shape[1]) <= a.shape[1]
    if not tall or not rules.gram.has_own(type(a.base), type(b)):
        return NotImplemented
    product = Dense._make(rules.gram(a.base, b))
    return product._with(PSD) if a.base is b else product


@rules.scale.register(LowRank)
def scale_low_rank(a: LowRank, factor: complex) -> Operator:
    """Scale the core."""
    if factor.imag:
        return NotImplemented
    return LowRank._make(a.U, rules.scale(a.C, factor), *a.parts[2:])


@rules.adjoint.register(LowRank)
def adjoint_of_low_rank(a: LowRank) -> Operator:
    """(U C Vᴴ)ᴴ = V Cᴴ Uᴴ."""
    if a.V is a.U:
        return a if a.C.is_self_adjoint else LowRank._make(a.U, a.C.H)
    return LowRank._make(a.V, a.C.H, a.U)


@rules.conjugate.register(LowRank)
def conjugate_of_low_rank(a: LowRank) -> Operator:
    """Part by part."""
    return LowRank._make(*(rules.conjugate(part) for part in a.parts))


@rules.trace.register(LowRank)
def trace_of_low_rank(a: LowRank) -> Array:
    """tr(U C Vᴴ) = tr(C Vᴴ U); c ‖U‖² for U (c I) Uᴴ."""
    factor = multiple_of_identity(a.C)
    if a.V is a.U and factor is not None:
        size = a.U.norm()
        return factor * size * size
    gram = a._gram() if a.V is a.U else rules.gram(a.V, a.U)
    return Dense._make(a.C._matmat(gram)).trace()


@rules.to_dense.register(LowRank)
def low_rank_to_dense(a: LowRank) -> Array:
    """Form U and V."""
    left = a.U.to_dense()
    right = left if a.V is a.U else a.V.to_dense()
    return adjoint(a.C.H._matmat(adjoint(left))) @ adjoint(right)


@rules.diagonal.register(LowRank)
def diagonal_of_low_rank(a: LowRank) -> Array:
    """Entry i is the sum of (U C)_ij conj(V_ij) over j, some columns at a time: never more than n r numbers."""
    if a.shape[0] != a.shape[1]:
        return NotImplemented
    xp, (n, r) = a.kind.xp, a.V.shape
    eye, width = a.kind.eye(r), max(1, _CHUNK // max(n, 1))
    total = a.kind.zeros(*a.batch, n)
    for start in range(0, r, width):
        chosen = eye[:, start : min(start + width, r)]
        chosen = xp.broadcast_to(chosen, (*a.batch, *chosen.shape))
        total = total + xp.sum(a.U._matmat(a.C._matmat(chosen)) * conj(a.V._matmat(chosen)), axis=-1)
    return total


@rules.norm.register(LowRank)
def norm_of_low_rank(a: LowRank) -> Array:
    """‖U C Vᴴ‖² = Re tr(Cᴴ UᴴU C VᴴV), unless it is so much below ‖U‖² ‖C‖² ‖V‖² that it would be rounding error."""
    if a.rank > min(a.shape) or 0 in a.C.shape:
        return NotImplemented
    xp, left = a.kind.xp, a._gram() if a.V is a.U else rules.gram(a.U, a.U)
    right = left if a.V is a.U else rules.gram(a.V, a.V)
    parts = (left, a.C.to_dense(), right)
    sizes = [root_sum_squares(part, axis=(-2, -1)) for part in parts]
    units = [xp.where(size > 0, size, xp.ones_like(size)) for size in sizes]
    left, core, right = (part / unit[..., None, None] for part, unit in zip(parts, units, strict=True))
    square = xp.sum(_real(conj(core) * (left @ core @ right)), axis=(-2, -1))
    if not bool(xp.all(square > a.kind.eps**0.5)):
        return NotImplemented
    return xp.sqrt(units[0]) * xp.sqrt(units[2]) * units[1] * xp.sqrt(square)


@rules.eigh.register(LowRank)
def eigh_of_low_rank(a: LowRank) -> Operator:
    """Eigenpairs from the r × r side: with U = P K, PᴴP = I and K C Kᴴ = Y diag(w) Yᴴ, Q = P Y."""
    if not a._has_eigenbasis():
        return NotImplemented
    basis, k = _thin(a)
    core = Dense._make(hermitian_part(k @ a.C._matmat(adjoint(k))))
    inner = core._with(PSD if a.C.is_psd else SELF_ADJOINT).eigh()
    if a.batch:
        return Spectral._make(basis @ inner.Q, inner.w, rest=0.0)
    spectrum = [float(value) for value in to_numpy(inner.w)]
    floor = a.rank * a.kind.eps * max(map(abs, spectrum), default=0.0)
    kept = [i for i, value in enumerate(spectrum) if abs(value) > floor]
    w = a.kind.xp.take(inner.w, a.kind.indices(kept), axis=0)
    return Spectral._make(basis @ rules.columns(inner.Q, kept), w, rest=0.0)


def _thin(a: LowRank) -> tuple[Operator, Array]:
    """U = P K with orthonormal P: by QR; where U is too large to be formed P = U Z t^-½ from UᴴU = Z diag(t) Zᴴ.

    The columns of the latter are orthonormal to eps √(t_max / t) only.
    """
    if is_formable(a.U):
        p, k = qr(a.U.to_dense())
        return Dense._make(p), k
    dual = Dense._make(a._gram())._with(PSD).eigh()
    floor = a.rank * a.kind.eps * max_abs(dual.w)
    kept = [i for i, value in enumerate(map(float, to_numpy(dual.w))) if value > floor]
    z = rules.columns(dual.Q, kept).to_dense()
    t = a.kind.xp.sqrt(a.kind.xp.take(dual.w, a.kind.indices(kept), axis=0))
    return Product(a.U, Dense._make(z / t)), t[:, None] * adjoint(z)


def _real(x: Array) -> Array:
    return kind(x).xp.real(x) if kind(x).is_complex else x


@rules.pinv.register(LowRank)
def pinv_of_low_rank(a: LowRank) -> Operator:
    """From the eigenpairs, if A is self-adjoint."""
    return a.eigh().pinv() if a._has_eigenbasis() else NotImplemented


@rules.slogdet.register(LowRank)
def slogdet_of_low_rank(a: LowRank) -> tuple[Array, Array]:
    """det = 0, with fewer columns than rows."""
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


@rules.project.register(LowRank, Operator)
def project_low_rank(a: LowRank, z: Operator) -> tuple[Operator, Array]:
    """With Y = Vᴴ Z kept: A Z = U C Y, and Zᴴ A Z = Yᴴ C Y where V is U (psd by construction)."""
    y = Dense._make(rules.gram(a.V, z))
    image = Product(a.U, a.C, y)
    if a.V is a.U:
        matrix = adjoint(y.array) @ a.C._matmat(y.array)
        return image, hermitian_part(matrix) if a.is_self_adjoint else matrix
    return image, rules.gram(z, a.U) @ a.C._matmat(y.array)
