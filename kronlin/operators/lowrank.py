"""LowRank: U C Vᴴ with tall U and V, and what it does to an operator that it is added to."""

from typing import Any

from kronlin.algebra import Adjoint, Identity, Operator, Product, Properties, rules
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.properties import PSD, properties
from kronlin.algebra.structure import common_batch, promote
from kronlin.arrays import Array, SingularMatrixError, adjoint, cast, hermitian_part, to_numpy
from kronlin.operators.dense import Dense, no_inverse
from kronlin.operators.spectral import Spectral
from kronlin.operators.stacks import HStack, VStack


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

    def _is_root(self) -> bool:
        """Whether this is U C Uᴴ with a psd C, fewer columns than rows."""
        return self.V is self.U and self.C.is_psd is True and self.rank < self.shape[0]

    def prepare(self) -> "LowRank":
        """Form the Gram matrix of U now."""
        if self.V is self.U:
            self._gram()
        return self


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
        return cast(a.U.norm() ** 2, a.kind) * factor
    gram = a._gram() if a.V is a.U else rules.gram(a.V, a.U)
    return Dense._make(a.C._matmat(gram)).trace()


@rules.to_dense.register(LowRank)
def low_rank_to_dense(a: LowRank) -> Array:
    """Form U and V."""
    left = a.U.to_dense()
    right = left if a.V is a.U else a.V.to_dense()
    return adjoint(a.C.H._matmat(adjoint(left))) @ adjoint(right)


@rules.norm.register(LowRank)
def norm_of_low_rank(a: LowRank) -> Array:
    """‖U C Uᴴ‖² = tr(C T C T) for T = Uᴴ U and C = Cᴴ."""
    if a.V is not a.U or not a.C.is_self_adjoint or a.rank > a.shape[0]:
        return NotImplemented
    core = a.C._matmat(a._gram())
    xp = a.kind.xp
    return xp.sqrt(xp.abs(Dense._make(core @ core).trace()))


@rules.eigh.register(LowRank)
def eigh_of_low_rank(a: LowRank) -> Operator:
    """Eigenpairs from the dual side: with C = R Rᴴ and Rᴴ Uᴴ U R = V diag(w) Vᴴ, Q = U R V diag(w)^-½."""
    if not a._is_root() or a.batch:
        return NotImplemented
    root = a.C.sqrt()
    dual = Dense._make(congruence(root, a._gram()))._with(PSD).eigh()
    spectrum = [float(value) for value in to_numpy(dual.w)]
    floor = a.rank * a.kind.eps * max(spectrum, default=0.0)
    kept = [i for i, value in enumerate(spectrum) if value > floor]
    w = a.kind.xp.take(dual.w, a.kind.indices(kept), axis=0)
    basis = root._matmat(rules.columns(dual.Q, kept).to_dense()) / a.kind.xp.sqrt(w)
    return Spectral._make(Product(a.U, Dense._make(basis)), w, rest=0.0)


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
